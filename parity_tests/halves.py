"""For the tests of edges: both halves behind one handful of names."""

import numpy as np
import pytest
import torch

import npgpt.blocks
import npgpt.generation
import npgpt.layers
import npgpt.models
import npgpt.training
import torchgpt.blocks
import torchgpt.generation
import torchgpt.layers
import torchgpt.models
import torchgpt.training
from npgpt.tree import rebuild


class Half:
    """half.layer_norm is the half's function; half.array and half.back
    cross from NumPy and to it, trees and tuples included."""

    def __init__(self, package, array, back):
        self.package, self.one, self.one_back = package, array, back

    def __getattr__(self, name):
        for room in ("layers", "blocks", "models", "training", "generation"):
            module = getattr(self.package, room)
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)

    def array(self, value):
        return rebuild(value, lambda _, leaf: self.one(leaf) if hasattr(leaf, "dtype") else leaf)

    def back(self, value):
        if isinstance(value, tuple):
            return tuple(map(self.back, value))
        return rebuild(value, lambda _, leaf: self.one_back(leaf))


HALVES = [
    Half(npgpt, lambda array: array.copy(), np.asarray),
    Half(torchgpt, lambda array: torch.from_numpy(np.array(array)),
         lambda leaf: leaf.numpy() if torch.is_tensor(leaf) else np.asarray(leaf)),
]
both_halves = pytest.mark.parametrize("half", HALVES, ids=["numpy", "torch"])
