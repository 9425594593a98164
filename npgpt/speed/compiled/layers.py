"""Layers on compiled loops: pairs with the plain layers' names, arguments
and results.

`npgpt.layers` has the maths and is the reference. Here what lies between
the matrix products runs in `loops`; nothing that a caller handed in is
written to, nor what was saved. Saved values are the pair's own affair: a
forward from here goes with the backward from here."""

import math

import numpy as np

from npgpt import layers
from npgpt.families.checks import check_below
from npgpt.layers.blockwise_attention import BLOCK
from npgpt.layers.cross_entropy import IGNORE
from npgpt.speed.compiled import loops

__all__ = [
    "blockwise_attention", "blockwise_attention_backward", "cross_entropy",
    "cross_entropy_backward", "embedding_backward", "gelu", "gelu_backward", "layer_norm",
    "layer_norm_backward", "linear", "linear_backward",
]


def linear(x, weight, bias=None, trainable=True):
    """x (..., I), weight (I, O), bias (O,) or None -> y (..., O)."""
    I, O = weight.shape
    y = x.reshape(-1, I) @ weight                     # (R, O)
    if bias is not None:
        loops.add_bias(y, bias)
    return y.reshape(*x.shape[:-1], O), (x if trainable else None, weight, bias)


def linear_backward(d_y, saved):
    """d_y (..., O) -> d_x (..., I), {"weight": (I, O), "bias": (O,)}; the
    weight's gradient lies in memory as the weight does."""
    x, weight, bias = saved
    I, O = weight.shape
    d_rows, grads = d_y.reshape(-1, O), {}            # (R, O)
    if x is not None:
        rows = x.reshape(-1, I)                       # (R, I)
        if weight.flags.c_contiguous:
            grads["weight"] = rows.T @ d_rows         # (I, O)
        else:
            grads["weight"] = (d_rows.T @ rows).T     # (I, O)
        if bias is not None:
            grads["bias"] = loops.column_sum(d_rows)  # (O,)
    d_x = d_rows @ weight.T                           # (R, I)
    return d_x.reshape(*d_y.shape[:-1], I), grads


def layer_norm(x, weight, bias, eps=1e-5, trainable=True):
    """x (..., C), weight (C,), bias (C,) -> y (..., C)."""
    rows = x.reshape(-1, x.shape[-1])                 # (R, C)
    y, means, inv_stds = loops.layer_norm(rows, weight, bias, eps)
    return y.reshape(x.shape), (rows, means, inv_stds, weight, trainable)


def layer_norm_backward(d_y, saved):
    """d_y (..., C) -> d_x (..., C), {"weight": (C,), "bias": (C,)}; normed
    is computed anew from x, which is faster than to read it."""
    rows, means, inv_stds, weight, trainable = saved
    d_x, d_weight, d_bias = loops.layer_norm_backward(
        d_y.reshape(-1, d_y.shape[-1]), rows, means, inv_stds, weight)
    grads = {"weight": d_weight, "bias": d_bias} if trainable else {}
    return d_x.reshape(d_y.shape), grads


def gelu(x):
    """x (...) -> y (...)."""
    numbers = x.reshape(-1)
    slope = loops.gelu_inner(numbers)
    np.tanh(slope, out=slope)
    y = loops.gelu_outer(numbers, slope)
    return y.reshape(x.shape), (slope.reshape(x.shape),)


def gelu_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    (slope,) = saved
    return d_y * slope


def blockwise_attention(q, k, v, mask=None, causal=False, dropout_mask=None, size=BLOCK):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D). The loops
    serve causal attention without a mask; the rest is the plain layer's."""
    T, S, D = q.shape[2], k.shape[2], q.shape[3]
    if mask is not None or not causal or S < T:
        y, saved = layers.blockwise_attention(q, k, v, mask, causal, dropout_mask, size)
        return y, (saved,)
    y, blocks = np.empty_like(q), []
    for start in range(0, T, size):
        rows = slice(start, min(start + size, T))
        end = S - T + rows.stop
        scores = q[:, :, rows] @ k[:, :, :end].swapaxes(-1, -2)       # (B, H, T, S)
        flat = scores.reshape(-1, *scores.shape[-2:])
        loops.shift_scores(flat, 1 / math.sqrt(D))
        np.exp(flat, out=flat)
        loops.divide_by_sum(flat)
        probs = flat.reshape(scores.shape)                            # (B, H, T, S)
        weights = times(probs, dropout_mask, rows, end)               # (B, H, T, S)
        np.matmul(weights, v[:, :, :end], out=y[:, :, rows])
        blocks.append((rows, end, probs, weights))
    return y, (q, k, v, y, dropout_mask, blocks)


def blockwise_attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    if len(saved) == 1:
        return layers.blockwise_attention_backward(d_y, *saved)
    q, k, v, y, dropout_mask, blocks = saved
    S, D = k.shape[2], k.shape[3]
    # a row's sum of probs · d_probs is that of y · d_y
    mean_grad = np.vecdot(y, d_y)                                     # (B, H, T)
    d_q, d_k, d_v = np.empty_like(q), np.empty_like(k), np.empty_like(v)
    for rows, end, probs, weights in reversed(blocks):
        d_rows, first = d_y[:, :, rows], end == S
        add_product(weights.swapaxes(-1, -2), d_rows, d_v[:, :, :end], first)
        d_probs = times(d_rows @ v[:, :, :end].swapaxes(-1, -2), dropout_mask, rows, end)
        flat = d_probs.reshape(-1, *d_probs.shape[-2:])
        loops.softmax_backward(
            flat, probs.reshape(flat.shape), mean_grad[:, :, rows].reshape(flat.shape[:2]),
            1 / math.sqrt(D))
        d_scores = flat.reshape(d_probs.shape)                        # (B, H, T, S)
        np.matmul(d_scores, k[:, :, :end], out=d_q[:, :, rows])
        add_product(d_scores.swapaxes(-1, -2), q[:, :, rows], d_k[:, :, :end], first)
    return d_q, d_k, d_v


def times(probs, dropout_mask, rows, end):
    """probs · the block's part of dropout_mask."""
    return probs if dropout_mask is None else probs * dropout_mask[:, :, rows, :end]


def add_product(a, b, into, first):
    """into += a @ b; the first of them finds nothing to add to."""
    if first:
        np.matmul(a, b, out=into)
    else:
        into += a @ b


def cross_entropy(logits, targets, count=None):
    """logits (..., V), targets (...) -> loss (), the mean over targets that
    are not -100. count: divide by this instead of their number."""
    check_below("targets", targets, logits.shape[-1], IGNORE)
    rows, right = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    if count is None:
        count = max(int((right != IGNORE).sum()), 1)
    probs, score = loops.shift_logits(rows, right)
    np.exp(probs, out=probs)
    loss = loops.losses_of_rows(probs, score, right)
    return logits.dtype.type(loss / count), (probs, right, count, logits.shape)


def cross_entropy_backward(d_loss, saved):
    """d_loss () -> d_logits (..., V)."""
    probs, right, count, shape = saved
    return loops.cross_entropy_backward(probs, right, float(d_loss / count)).reshape(shape)


def embedding_backward(d_y, saved):
    """d_y (..., C) -> {"weight": (V, C)}."""
    ids, weight = saved
    if ids is None:
        return {}
    d_weight = np.zeros(weight.shape, d_y.dtype)      # (V, C)
    loops.embedding_backward(ids.reshape(-1), d_y.reshape(-1, d_y.shape[-1]), d_weight)
    return {"weight": d_weight}
