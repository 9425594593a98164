"""Clipping and AdamW on a compiled loop: one pass over memory, same bits.

The readable `adamw_step` reads and writes its arrays once for each of a
dozen operations; here each number goes through all of them while it lies in
a register, the scaling that clips included, in the same order."""

import math

from npgpt.speed.compiled import loops
from npgpt.speed.threads import for_each
from npgpt.tree import tree_leaves


def clip_by_global_norm(grads, limit):
    """-> (grads, scale), the length before: as `npgpt.training`'s of the
    same name, but the scaling is left to `adamw_step` here."""
    flat = [grad.reshape(-1) for _, grad in tree_leaves(grads)]
    norm = math.sqrt(sum(float(grad @ grad) for grad in flat))
    too_long = math.isfinite(norm) and norm > limit
    return (grads, limit / norm if too_long else 1.0), norm


def adamw_step(params, clipped, state, lr, betas=(0.9, 0.95), eps=1e-8,
               weight_decay=0.1):
    """As `npgpt.training`'s of the same name, of what was clipped here."""
    grads, scale = clipped
    state["step"] += 1
    beta_1, beta_2 = betas
    bias_1 = 1 - beta_1 ** state["step"]
    bias_2 = 1 - beta_2 ** state["step"]
    grads = dict(tree_leaves(grads))
    means = dict(tree_leaves(state["m"]))
    squares = dict(tree_leaves(state["v"]))

    def update(name, weight):
        shrink = 1 - lr * weight_decay if weight.ndim >= 2 else 1.0
        loops.adamw(in_line(weight), in_line(grads[name]),
                    in_line(means[name]), in_line(squares[name]),
                    scale, shrink, beta_1, beta_2, lr / bias_1, bias_2, eps)

    for_each(update, list(tree_leaves(params)))


def in_line(array):
    """-> the same memory with one axis."""
    if not array.flags.c_contiguous:
        raise ValueError("AdamW: compiled, it takes arrays whose numbers lie side by side")
    return array.reshape(-1)
