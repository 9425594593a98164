"""Layer norm: each position gets mean 0 and variance 1, then a learned
scale and shift (Ba, Kiros and Hinton, 2016)."""

import torch

from torchgpt.layers.sums import column_sum, row_mean


def layer_norm(x, weight, bias, eps=1e-5, trainable=True):
    """x (..., C), weight (C,), bias (C,) -> y (..., C)."""
    # (1) centre
    mean = row_mean(x)                                # (..., 1)
    centred = x - mean                                # (..., C)
    # (2) divide by the standard deviation
    variance = row_mean(centred * centred)            # (..., 1)
    inv_std = torch.rsqrt(variance + eps)             # (..., 1)
    normed = centred * inv_std                        # (..., C)
    # (3) scale and shift
    y = normed * weight + bias                        # (..., C)
    return y, (normed, inv_std, weight, trainable)


def layer_norm_backward(d_y, saved):
    """d_y (..., C) -> d_x (..., C), {"weight": (C,), "bias": (C,)}."""
    normed, inv_std, weight, trainable = saved
    # (3) scale and shift
    grads = {}
    if trainable:
        d_weight = column_sum(d_y * normed)           # (C,)
        d_bias = column_sum(d_y)                      # (C,)
        grads = {"weight": d_weight, "bias": d_bias}
    d_normed = d_y * weight                           # (..., C)
    # (2) divide by the standard deviation
    along = row_mean(d_normed * normed)               # (..., 1)
    d_centred = (d_normed - normed * along) * inv_std         # (..., C)
    # (1) centre
    d_x = d_centred - row_mean(d_centred)             # (..., C)
    return d_x, grads


def layer_norm_reference(x, weight, bias, eps=1e-5, trainable=True):
    """PyTorch's own operator."""
    return torch.nn.functional.layer_norm(
        x, (x.shape[-1],), weight, bias, eps)
