"""RMS norm: each position is divided by its root mean square, then
scaled; layer norm without the mean (Zhang and Sennrich, 2019)."""

import numpy as np


def rms_norm(x, weight, eps=1e-5, trainable=True):
    """x (..., C), weight (C,) -> y (..., C)."""
    # (1) divide by the root mean square
    mean_square = (x * x).mean(axis=-1, keepdims=True)
    inv_rms = 1 / np.sqrt(mean_square + float(eps))   # (..., 1)
    normed = x * inv_rms                              # (..., C)
    # (2) scale
    y = normed * weight                               # (..., C)
    return y, (normed, inv_rms, weight, trainable)


def rms_norm_backward(d_y, saved):
    """d_y (..., C) -> d_x (..., C), {"weight": (C,)}."""
    normed, inv_rms, weight, trainable = saved
    C = weight.shape[0]
    # (2) scale
    grads = {}
    if trainable:
        d_weight = (d_y * normed).reshape(-1, C).sum(axis=0)
        grads = {"weight": d_weight}
    d_normed = d_y * weight                           # (..., C)
    # (1) divide by the root mean square
    mean_grad = (d_normed * normed).mean(axis=-1, keepdims=True)
    d_x = (d_normed - normed * mean_grad) * inv_rms   # (..., C)
    return d_x, grads
