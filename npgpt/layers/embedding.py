"""Embedding: one learned row for each token of the vocabulary."""

import numpy as np

from npgpt.families.checks import check_below


def embedding(ids, weight, trainable=True):
    """ids (...) from 0 to V-1, weight (V, C) -> y (..., C). Raises
    InputError for other ids."""
    check_below("ids", ids, weight.shape[0])
    # (1) look up the row of each id
    y = weight[ids]                                   # (..., C)
    return y, (ids if trainable else None, weight)


def embedding_backward(d_y, saved):
    """d_y (..., C) -> {"weight": (V, C)}."""
    ids, weight = saved
    if ids is None:
        return {}
    # (1) look up the row of each id: equal ids add up
    d_weight = np.zeros(weight.shape, d_y.dtype)      # (V, C)
    np.add.at(d_weight, ids, d_y)                     # (V, C)
    return {"weight": d_weight}
