"""Positions: one learned row for each place in the context."""

import numpy as np


def positions(ids, weight, start=0):
    """ids (B, T), weight (N, C) -> y (B, T, C), the rows from `start`
    on, the same for each sequence."""
    # (1) take the next T rows
    B, T = ids.shape
    rows = weight[start:start + T]                    # (T, C)
    # (2) repeat them for each sequence
    y = np.broadcast_to(rows, (B, *rows.shape))       # (B, T, C)
    return y, (weight, start)


def positions_backward(d_y, saved):
    """d_y (B, T, C) -> {"weight": (N, C)}."""
    weight, start = saved
    B, T, C = d_y.shape
    # (2) repeat them for each sequence
    d_rows = d_y.sum(axis=0)                          # (T, C)
    # (1) take the next T rows
    d_weight = np.zeros(weight.shape, d_y.dtype)      # (N, C)
    d_weight[start:start + T] = d_rows
    return {"weight": d_weight}
