"""Clipping: one bad batch cannot throw the weights far
(Pascanu, Mikolov and Bengio, 2013, algorithm 1)."""

import math

import torch

from npgpt.families.checks import positive_number
from npgpt.tree import tree_leaves, tree_map


def clip_by_global_norm(grads, max_norm):
    """-> grads, scaled down so that the norm of all of them together
    is at most max_norm, and the norm before. A norm that is infinite
    or NaN scales nothing: the caller sees it and stops. Raises
    InputError unless max_norm is above 0."""
    max_norm = positive_number("max_norm", max_norm)
    # (1) the norm of all gradients as one vector
    flat = [grad.reshape(-1) for _, grad in tree_leaves(grads)]
    squares = torch.stack([grad @ grad for grad in flat])
    norm = math.sqrt(sum(squares.tolist()))
    # (2) scale them down where it is too large
    if math.isfinite(norm) and norm > max_norm:
        scale = max_norm / norm
        grads = tree_map(lambda grad: grad * scale, grads)
    return grads, norm


def clip_reference(grads, max_norm):
    """PyTorch's own norm of all gradients as one vector."""
    return torch.nn.utils.get_total_norm(
        [grad for _, grad in tree_leaves(grads)])
