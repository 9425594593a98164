"""Position embedding: one learned row for each position."""

import numpy as np


def position_embedding(ids, weight, positions=None, start=0,
                       trainable=True):
    """ids (B, T), weight (N, C) -> y (B, T, C).

    positions (B, T): each token's; None: the next T from `start` on,
    the same for each sequence."""
    B, T = ids.shape
    # (1) look up the rows of the positions
    if positions is None:
        rows = weight[start:start + T]                # (T, C)
        y = np.broadcast_to(rows, (B, *rows.shape))   # (B, T, C)
    else:
        y = weight[positions]                         # (B, T, C)
    return y, (weight, positions, start, trainable)


def position_embedding_backward(d_y, saved):
    """d_y (B, T, C) -> {"weight": (N, C)}."""
    weight, positions, start, trainable = saved
    if not trainable:
        return {}
    B, T, C = d_y.shape
    d_weight = np.zeros(weight.shape, d_y.dtype)      # (N, C)
    # (1) look up the rows of the positions: equal ones add up
    if positions is None:
        d_weight[start:start + T] = d_y.sum(axis=0)   # (T, C)
    else:
        np.add.at(d_weight, positions, d_y)           # (N, C)
    return {"weight": d_weight}
