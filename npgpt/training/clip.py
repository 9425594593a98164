"""Clipping: one bad batch cannot throw the weights far
(Pascanu, Mikolov and Bengio, 2013, algorithm 1)."""

import math

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
    norm = math.sqrt(sum(float(grad @ grad) for grad in flat))
    # (2) scale them down where it is too large
    if math.isfinite(norm) and norm > max_norm:
        scale = max_norm / norm
        grads = tree_map(lambda grad: grad * scale, grads)
    return grads, norm
