"""Modules: the models as a PyTorch user would write them."""

from torchgpt.modules.gpt2 import GPT

BY_TYPE = {"gpt2": GPT}

__all__ = ["BY_TYPE", "GPT"]
