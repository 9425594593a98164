"""Models: blocks from token ids to logits, and back."""

from torchgpt.models.gpt2 import gpt, gpt_backward
from torchgpt.models.gpt_cached import gpt_cached

__all__ = ["gpt", "gpt_backward", "gpt_cached"]
