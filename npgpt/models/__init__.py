"""Models: blocks from token ids to logits, and back."""

from npgpt.models.gpt2 import gpt, gpt_backward
from npgpt.models.gpt_cached import gpt_cached

__all__ = ["gpt", "gpt_backward", "gpt_cached"]
