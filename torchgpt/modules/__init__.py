"""Modules: the models as a PyTorch user would write them."""

from torchgpt.modules.gpt2 import GPT

__all__ = ["GPT"]
