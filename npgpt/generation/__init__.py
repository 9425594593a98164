"""From a trained model to text."""

from npgpt.generation.generate import generate
from npgpt.generation.generate_batch import generate_batch
from npgpt.generation.sample import (
    draw_token,
    log_prob,
    penalise_repeats,
    sample_token,
    token_probs,
)
from npgpt.speed.one_token.gpt2 import gpt_step

__all__ = [
    "draw_token", "generate", "generate_batch", "gpt_step", "log_prob",
    "penalise_repeats", "sample_token", "token_probs",
]
