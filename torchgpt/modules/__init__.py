"""Modules: the models as a PyTorch user would write them."""

from torchgpt.modules.gpt2 import GPT
from torchgpt.modules.llama import Llama
from torchgpt.modules.recurrent import Recurrent

BY_TYPE = {"gpt2": GPT, "llama": Llama, "qwen2": Llama, "qwen3": Llama,
           "recurrent": Recurrent}

__all__ = ["BY_TYPE", "GPT", "Llama", "Recurrent"]
