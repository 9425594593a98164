"""From a trained model to text."""

from npgpt.generation.generate import generate
from npgpt.generation.sample import draw_token, sample_token, token_probs

__all__ = ["draw_token", "generate", "sample_token", "token_probs"]
