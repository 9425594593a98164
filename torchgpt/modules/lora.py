"""LoRA as a PyTorch user would write it: a frozen nn.Linear, and beside it the
product of two thin matrices (Hu et al., 2021)."""

import torch
from torch import nn


class LoraLinear(nn.Module):
    """y = linear(x) + alpha / r · x A B; A (I, r), B (r, O)."""

    def __init__(self, linear, A, B, alpha):
        super().__init__()
        self.linear = linear
        self.A, self.B = nn.Parameter(A), nn.Parameter(B)
        self.scale = float(alpha) / A.shape[1]

    def forward(self, x):
        return self.linear(x) + self.scale * (x @ self.A @ self.B)


def add_lora(module, adapters, alpha):
    """Freeze a module, and put a LoraLinear in the place of each layer that
    adapters name: {"blocks.0.attention.q": {"A": (I, r), "B": (r, O)}, ...}."""
    module.requires_grad_(False)
    for path, each in adapters.items():
        parent, _, name = path.rpartition(".")
        parent = module.get_submodule(parent)
        setattr(parent, name, LoraLinear(getattr(parent, name), alpha=alpha, **each))


@torch.no_grad()
def merged(module):
    """-> {path: the weight (O, I) that a LoraLinear amounts to}."""
    return {path: each.linear.weight + each.scale * (each.A @ each.B).T
            for path, each in module.named_modules() if isinstance(each, LoraLinear)}
