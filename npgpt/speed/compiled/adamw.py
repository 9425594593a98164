"""Clipping and AdamW on a compiled loop: one pass over memory, same bits.

The readable `adamw_step` reads and writes its arrays once for each of a
dozen operations; here each number goes through all of them while it lies in
a register, the scaling that clips included, in the same order."""

import math
import os

from npgpt.speed.compiled import loops
from npgpt.speed.threads import equal_groups, thread_pool
from npgpt.tree import tree_leaves


def clip_by_global_norm(grads, max_norm):
    """-> (grads, scale), the norm before: as `npgpt.training`'s of the
    same name, but the scaling is left to `adamw_step` here."""
    flat = [grad.reshape(-1) for _, grad in tree_leaves(grads)]
    norm = math.sqrt(sum(float(grad @ grad) for grad in flat))
    too_large = math.isfinite(norm) and norm > max_norm
    return (grads, max_norm / norm if too_large else 1.0), norm


def adamw_step(params, clipped, state, lr, betas=(0.9, 0.95), eps=1e-8,
               weight_decay=0.1):
    """As `npgpt.training`'s of the same name, of what was clipped here."""
    grads, scale = clipped
    state["step"] += 1
    beta_1, beta_2 = betas
    bias_1 = 1 - beta_1 ** state["step"]
    bias_2 = 1 - beta_2 ** state["step"]
    params, grads, m, v = (
        dict(tree_leaves(tree)) for tree in (params, grads, state["m"], state["v"]))

    def update(names):
        for name in names:
            shrink = 1 - lr * weight_decay if params[name].ndim >= 2 else 1.0
            loops.adamw(in_line(params[name]), in_line(grads[name]),
                        in_line(m[name]), in_line(v[name]),
                        scale, shrink, beta_1, beta_2, lr / bias_1, bias_2, eps)

    list(thread_pool().map(update, equal_groups(params, os.cpu_count())))


def in_line(array):
    """-> the same memory with one axis."""
    if not array.flags.c_contiguous:
        raise ValueError("AdamW: compiled, it takes arrays whose numbers lie side by side")
    return array.reshape(-1)
