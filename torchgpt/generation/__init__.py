"""From a trained model to text."""

from torchgpt.generation.generate import generate
from torchgpt.generation.sample import draw_token, sample_token, token_probs

__all__ = ["draw_token", "generate", "sample_token", "token_probs"]
