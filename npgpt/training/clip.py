"""Clipping: one bad batch cannot throw the weights far
(Pascanu, Mikolov and Bengio, 2013, algorithm 1)."""

import math

from npgpt.tree import tree_leaves, tree_map


def clip_by_global_norm(grads, limit):
    """-> grads scaled down so that their joint length is at most limit,
    and the length before. A length that is infinite or NaN scales
    nothing: the caller sees it and stops."""
    # (1) measure the length of all gradients as one vector
    flat = [grad.reshape(-1) for _, grad in tree_leaves(grads)]
    norm = math.sqrt(sum(float(grad @ grad) for grad in flat))
    # (2) scale them down where it is too long
    if math.isfinite(norm) and norm > limit:
        scale = limit / norm
        grads = tree_map(lambda grad: grad * scale, grads)
    return grads, norm
