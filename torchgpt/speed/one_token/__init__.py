"""One token: a model's step for generation, on vectors. A small model
writes almost twice as fast this way."""

from torchgpt import models
from torchgpt.speed.one_token.gpt2 import gpt2_step
from torchgpt.speed.one_token.llama import llama_step

__all__ = ["for_model", "gpt2_step", "llama_step"]


def for_model(model):
    """-> its step(params, token, cache, config), or None where there is
    none."""
    return {models.gpt2: gpt2_step, models.llama: llama_step}.get(model)
