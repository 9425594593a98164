"""Layer norm: each position gets mean 0 and variance 1, then a learned
scale and shift (Ba, Kiros and Hinton, 2016)."""

import numpy as np


def layer_norm(x, weight, bias, eps=1e-5, trainable=True):
    """x (..., C), weight (C,), bias (C,) -> y (..., C)."""
    # (1) centre
    mean = x.mean(axis=-1, keepdims=True)             # (..., 1)
    centred = x - mean                                # (..., C)
    # (2) divide by the standard deviation
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(variance + float(eps))      # (..., 1)
    normed = centred * inv_std                        # (..., C)
    # (3) scale and shift
    y = normed * weight + bias                        # (..., C)
    return y, (normed, inv_std, weight, trainable)


def layer_norm_backward(d_y, saved):
    """d_y (..., C) -> d_x (..., C), {"weight": (C,), "bias": (C,)}."""
    normed, inv_std, weight, trainable = saved
    C = weight.shape[0]
    # (3) scale and shift
    grads = {}
    if trainable:
        d_weight = (d_y * normed).reshape(-1, C).sum(axis=0)
        d_bias = d_y.reshape(-1, C).sum(axis=0)       # (C,)
        grads = {"weight": d_weight, "bias": d_bias}
    d_normed = d_y * weight                           # (..., C)
    # (2) divide by the standard deviation
    mean_grad = (d_normed * normed).mean(axis=-1, keepdims=True)
    d_centred = (d_normed - normed * mean_grad) * inv_std
    # (1) centre
    d_x = d_centred - d_centred.mean(axis=-1, keepdims=True)
    return d_x, grads
