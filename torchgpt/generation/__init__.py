"""From a trained model to text."""

from torchgpt.generation.generate import generate
from torchgpt.generation.generate_batch import generate_batch
from torchgpt.generation.sample import (
    draw_token,
    log_prob,
    penalise_repeats,
    sample_token,
    token_probs,
)
from torchgpt.speed.one_token.gpt2 import gpt_step

__all__ = [
    "draw_token", "generate", "generate_batch", "gpt_step", "log_prob",
    "penalise_repeats", "sample_token", "token_probs",
]
