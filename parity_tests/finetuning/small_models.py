"""Small models and adapters of them, none of whose numbers is 0."""

import json

import numpy as np

from npgpt.finetuning import init_adapters
from npgpt.models import gpt2, llama
from npgpt.random_stream import normals
from npgpt.runs.adapters import Adapter
from npgpt.runs.adapters.adapter import fingerprint_of_rows
from npgpt.training import init

CONFIGS = {
    "gpt2": gpt2.Config(37, context_length=16, layers=2, heads=2, channels=12),
    "llama": llama.Config(37, context_length=16, layers=2, heads=6, kv_heads=2, channels=12,
                          head_size=4, hidden=20, theta=500.0, eps=1e-3)}
MODELS = {"gpt2": gpt2, "llama": llama}
TARGETS = {"gpt2": ["qkv", "feed_forward.down"], "llama": ["q", "v"]}
RANK, ALPHA = 3, 5.0


def base(kind, dtype=np.float32):
    """-> model, config, params."""
    model, config = MODELS[kind], CONFIGS[kind]
    return model, config, init(model, config, 1, dtype)


def adapter(kind, seed=3, dtype=np.float32, targets=None, **more):
    layers = init_adapters(
        MODELS[kind], CONFIGS[kind], targets or TARGETS[kind], RANK, seed, dtype)
    for i, each in enumerate(layers.values()):
        each["B"] += (0.3 * normals(each["B"].shape, seed, i, "B")).astype(dtype)
    _, _, params = base(kind)
    return Adapter(layers, RANK, ALPHA, base_rows=fingerprint_of_rows(params), **more)


def a_tokenizer(path):
    """Theirs asks for one, and it reads no text with it here."""
    import transformers

    words = {f"w{i}": i for i in range(37)}
    file = path / "tokenizer.json"
    file.write_text(json.dumps({
        "version": "1.0", "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "w0"}}))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(file), pad_token="w0", eos_token="w1")
