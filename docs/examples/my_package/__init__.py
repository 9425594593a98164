"""An example of a package to check: three layers by hand, of which two are
wrong. From this directory's parent:

    npgpt gradcheck --candidate my_package
    pytest --candidate my_package
"""

import math

import numpy as np


def gelu(x):
    """Right."""
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(inner)), (x, inner)


def gelu_backward(d_y, saved):
    x, inner = saved
    tanh = np.tanh(inner)
    d_inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return d_y * (0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * d_inner)


def layer_norm(x, weight, bias, eps=1e-5):
    # (1) centre
    centred = x - x.mean(axis=-1, keepdims=True)
    # (2) divide by the standard deviation
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(variance + eps)
    normed = centred * inv_std
    # (3) scale and shift
    y = normed * weight + bias
    return y, (normed, inv_std, weight)


def layer_norm_backward(d_y, saved):
    """Wrong: the mean that step (1) subtracts is forgotten."""
    normed, inv_std, weight = saved
    C = len(weight)
    # (3) scale and shift
    d_weight = (d_y * normed).reshape(-1, C).sum(axis=0)
    d_bias = d_y.reshape(-1, C).sum(axis=0)
    d_normed = d_y * weight
    # (2) divide by the standard deviation
    mean_grad = (d_normed * normed).mean(axis=-1, keepdims=True)
    d_centred = inv_std * (d_normed - normed * mean_grad)
    # (1) centre
    d_x = d_centred
    return d_x, {"weight": d_weight, "bias": d_bias}


def linear(x, weight, bias=None):
    # (2) weigh the inputs
    y = x @ weight
    # (3) shift
    if bias is not None:
        y = y + bias
    return y, (x, weight, bias)


def linear_backward(d_y, saved):
    """Wrong: the bias gets the mean of its gradients, not their sum."""
    x, weight, bias = saved
    I, O = weight.shape
    # (3) shift
    d_bias = d_y.reshape(-1, O).mean(axis=0)
    # (2) weigh the inputs
    d_weight = x.reshape(-1, I).T @ d_y.reshape(-1, O)
    d_x = d_y @ weight.T
    if bias is None:
        return d_x, {"weight": d_weight}
    return d_x, {"weight": d_weight, "bias": d_bias}
