"""Linear: each output is a weighted sum of the inputs, shifted."""

import torch


def linear(x, weight, bias=None, trainable=True):
    """x (..., I), weight (I, O), bias (O,) or None -> y (..., O)."""
    # (1) one row for each position
    I, O = weight.shape
    rows = x.reshape(-1, I)                           # (R, I)
    # (2) weigh the inputs
    y = rows @ weight                                 # (R, O)
    # (3) shift
    if bias is not None:
        y += bias                                     # (R, O)
    y = y.reshape(*x.shape[:-1], O)                   # (..., O)
    return y, (x if trainable else None, weight, bias)


def linear_backward(d_y, saved):
    """d_y (..., O) -> d_x (..., I), {"weight": (I, O), "bias": (O,)}"""
    x, weight, bias = saved
    I, O = weight.shape
    d_rows, grads = d_y.reshape(-1, O), {}            # (R, O)
    # (3) shift
    if bias is not None and x is not None:
        d_bias = d_rows.sum(dim=0)                    # (O,)
        grads["bias"] = d_bias
    # (2) weigh the inputs
    if x is not None:  # None: a frozen weight has no gradient
        d_weight = x.reshape(-1, I).T @ d_rows        # (I, O)
        grads["weight"] = d_weight
    d_x = d_rows @ weight.T                           # (R, I)
    # (1) one row for each position
    d_x = d_x.reshape(*d_y.shape[:-1], I)             # (..., I)
    return d_x, grads


def linear_reference(x, weight, bias=None, trainable=True):
    """PyTorch's own operator, which wants the weight as (O, I)."""
    return torch.nn.functional.linear(x, weight.T, bias)
