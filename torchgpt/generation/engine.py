"""Engine: `npgpt.generation.engine`'s, over this package's functions."""

from npgpt.generation import engine
from torchgpt.generation.generate import generate
from torchgpt.generation.generate_batch import generate_batch


def Engine(model, params, config, tokenizer=None):
    """-> the engine of a model whose params are tensors, all on one
    device, where the tokens are computed."""
    return engine.Engine(
        model, params, config, tokenizer, generate=generate,
        generate_batch=generate_batch, numpy=False)
