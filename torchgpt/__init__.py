"""The PyTorch half: the same steps, names and files as `npgpt`."""

import numpy as np
import torch

from npgpt.families.gpt2 import Config
from npgpt.tree import tree_map
from torchgpt.modules.gpt2 import GPT

__all__ = ["GPT", "Config", "to_numpy", "to_torch"]


def to_torch(params, device="cpu"):
    """Nested NumPy arrays -> nested tensors, the same bits (copies)."""
    return tree_map(lambda array: torch.tensor(
        np.ascontiguousarray(array), device=device), params)


def to_numpy(params):
    """Nested tensors -> nested NumPy arrays, the same bits (copies)."""
    return tree_map(lambda tensor: np.array(
        tensor.detach().cpu().numpy(), order="C"), params)
