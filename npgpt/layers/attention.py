"""Attention: each query looks at the keys and mixes their values
(Vaswani et al., 2017, section 3.2.1)."""

import math

import numpy as np

from npgpt.layers.softmax import softmax
from npgpt.layers.sums import row_sum


def attention(q, k, v, visible=None, keep=None):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D).

    visible: True where a query may look, broadcast to (B, H, T, S); a
    query that may look nowhere gets zeros. keep: a dropout mask."""
    # (1) scale the queries
    scale = 1 / math.sqrt(q.shape[-1])
    q = q * scale                                     # (B, H, T, D)
    # (2) compare each query with each key
    scores = q @ k.swapaxes(-1, -2)                   # (B, H, T, S)
    # (3) hide what may not be seen
    if visible is not None:
        hide = np.where(visible, 0, -np.inf)
        scores += hide.astype(scores.dtype)           # (B, H, T, S)
    # (4) turn scores into probabilities
    probs, _ = softmax(scores)                        # (B, H, T, S)
    # (5) drop some
    kept = probs if keep is None else probs * keep    # (B, H, T, S)
    # (6) mix the values
    y = kept @ v                                      # (B, H, T, D)
    return y, (q, k, v, probs, keep, kept, y)


def attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    q, k, v, probs, keep, kept, y = saved
    # (6) mix the values
    d_kept = d_y @ v.swapaxes(-1, -2)                 # (B, H, T, S)
    d_v = kept.swapaxes(-1, -2) @ d_y                 # (B, H, S, D)
    # (5) drop some
    d_probs = d_kept if keep is None else d_kept * keep
    # (4) turn scores into probabilities
    #     along: the sum over keys of probs · d_probs is y · d_y's
    along = row_sum(y * d_y)                          # (B, H, T, 1)
    d_scores = probs * (d_probs - along)              # (B, H, T, S)
    # (3) hide what may not be seen: probability 0, gradient 0
    # (2) compare each query with each key
    d_q = d_scores @ k                                # (B, H, T, D)
    d_k = d_scores.swapaxes(-1, -2) @ q               # (B, H, S, D)
    # (1) scale the queries
    scale = 1 / math.sqrt(q.shape[-1])
    d_q = d_q * scale                                 # (B, H, T, D)
    return d_q, d_k, d_v
