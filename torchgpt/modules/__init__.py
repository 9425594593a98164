"""Modules: the models as a PyTorch user would write them."""

from torchgpt.modules.gpt2 import GPT
from torchgpt.modules.llama import Llama

BY_TYPE = {"gpt2": GPT, "llama": Llama, "qwen2": Llama, "qwen3": Llama}

__all__ = ["BY_TYPE", "GPT", "Llama"]
