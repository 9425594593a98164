"""Loops: several steps of the readable functions in one pass over memory.

NumPy reads and writes an array for each operation; on small models that is
what a training step waits for beside its products. A compiled loop does a
row's steps while the row lies in the cache. exp and tanh stay NumPy's.
Sums may be taken in any order (`reassoc`): that lets them run several at a
time; AdamW keeps NumPy's order, so its bits. NaN and infinity keep their
meaning, but for a row's maximum."""

import math

import numpy as np
from numba import njit

from npgpt.layers.gelu import CUBIC, ROOT

ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}


def loop(function, fastmath=ANY_ORDER):
    options = {"nogil": True, "fastmath": fastmath, "error_model": "numpy"}  # 1 / 0 is inf
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no directory takes the machine code: made anew at each start
        return njit(**options)(function)


def loop_past_nan(function):
    return loop(function, {*ANY_ORDER, "nnan"})


def loop_in_order(function):
    return loop(function, fastmath=False)


@loop
def add_layer_norm(x, more, shift, weight, bias, eps):
    """x, more (R, C), shift, weight, bias (C,): x += more + shift in place,
    unless more is None; -> layer norm's y, normed (R, C), inv_std (R, 1)."""
    R, C = x.shape
    if weight.shape != (C,) or bias.shape != (C,):
        raise ValueError("layer norm: weight and bias need as many numbers as x has channels")
    if more is not None and (more.shape != x.shape or shift.shape != (C,)):
        raise ValueError("layer norm: what is added must have x's shape")
    kind = x.dtype.type
    share = kind(1 / C)
    y, normed, inv_std = np.empty_like(x), np.empty_like(x), np.empty((R, 1), x.dtype)
    for r in range(R):
        # (0) add to the stream
        if more is not None:
            for c in range(C):
                x[r, c] += more[r, c] + shift[c]
        # (1) centre
        total = kind(0)
        for c in range(C):
            total += x[r, c]
        mean = total * share
        # (2) divide by the standard deviation
        squares = kind(0)
        for c in range(C):
            centred = x[r, c] - mean
            squares += centred * centred
        inv_std[r, 0] = inv = kind(1) / math.sqrt(squares * share + kind(eps))
        # (3) scale and shift
        for c in range(C):
            normed[r, c] = (x[r, c] - mean) * inv
            y[r, c] = normed[r, c] * weight[c] + bias[c]
    return y, normed, inv_std


@loop
def layer_norm_backward_add(d_y, normed, inv_std, weight, d_x):
    """d_y, normed (R, C), inv_std (R, 1), weight (C,): d_x (R, C) += layer
    norm's gradient, in place; -> d_weight, d_bias (C,)."""
    R, C = d_y.shape
    kind = d_y.dtype.type
    share = kind(1 / C)
    d_weight, d_bias = np.zeros_like(weight), np.zeros_like(weight)
    for r in range(R):
        # (3) scale and shift
        along, total = kind(0), kind(0)
        for c in range(C):
            d_weight[c] += d_y[r, c] * normed[r, c]
            d_bias[c] += d_y[r, c]
            d_normed = d_y[r, c] * weight[c]
            along += d_normed * normed[r, c]
            total += d_normed
        along *= share
        mean = total * share
        # (2, 1) divide by the standard deviation, centre
        for c in range(C):
            d_normed = d_y[r, c] * weight[c]
            d_x[r, c] += (d_normed - mean - normed[r, c] * along) * inv_std[r, 0]
    return d_weight, d_bias


@loop
def gelu_inner(x, bias):
    """x (R, F) += bias (F,) in place; -> what GELU takes the tanh of."""
    R, F = x.shape
    if bias.shape != (F,):
        raise ValueError("GELU: bias needs as many numbers as x has features")
    kind = x.dtype.type
    one, three = kind(ROOT), kind(ROOT * CUBIC)
    inner = np.empty_like(x)
    for r in range(R):
        for c in range(F):
            x[r, c] += bias[c]
            inner[r, c] = x[r, c] * (one + three * x[r, c] * x[r, c])
    return inner


@loop
def gelu_outer(x, tanh):
    """x, tanh (R, F) become y and its slope dy/dx, in place."""
    R, F = x.shape
    kind = x.dtype.type
    half, one, two, six = kind(0.5), kind(1), kind(2 * ROOT), kind(6 * ROOT * CUBIC)
    for r in range(R):
        for c in range(F):
            gate = half * tanh[r, c] + half
            y = x[r, c] * gate
            d_inner = two + six * x[r, c] * x[r, c]
            x[r, c] = y
            tanh[r, c] = gate + y * (one - gate) * d_inner


@loop
def gelu_backward(d_y, slope):
    """d_y (R, F) becomes d_x, in place; -> d_bias (F,)."""
    R, F = d_y.shape
    d_bias = np.zeros(F, d_y.dtype)
    for r in range(R):
        for c in range(F):
            d_y[r, c] *= slope[r, c]
            d_bias[c] += d_y[r, c]
    return d_bias


@loop_past_nan
def largest(row):
    """row (S,) -> its maximum; any number of it where there is a NaN."""
    top = row[0]
    for s in range(1, row.size):
        top = max(top, row[s])
    return top


@loop
def shift_scores(scores, scale):
    """scores (N, T, S) of the last T of S tokens: each row less its largest,
    times scale, and -inf where the query may not look, in place."""
    N, T, S = scores.shape
    factor = scores.dtype.type(scale)
    for n in range(N):
        for t in range(T):
            row, seen = scores[n, t], S - T + t + 1
            top = largest(row[:seen])
            for s in range(seen):
                row[s] = (row[s] - top) * factor
            for s in range(seen, S):
                row[s] = -np.inf


@loop
def divide_by_sum(powers):
    """powers (N, T, S) become probabilities, in place."""
    N, T, S = powers.shape
    kind = powers.dtype.type
    for n in range(N):
        for t in range(T):
            row = powers[n, t]
            total = kind(0)
            for s in range(S):
                total += row[s]
            share = kind(1) / total
            for s in range(S):
                row[s] *= share


@loop
def softmax_backward(d_probs, probs, along, scale):
    """d_probs, probs (N, T, S), along (N, T): d_probs becomes d_scores."""
    N, T, S = probs.shape
    factor = probs.dtype.type(scale)
    for n in range(N):
        for t in range(T):
            row, d_row, less = probs[n, t], d_probs[n, t], along[n, t]
            for s in range(S):
                d_row[s] = row[s] * (d_row[s] - less) * factor


@loop
def embedding_backward(ids, d_y, d_weight):
    """ids (R,), d_y (R, C): d_weight (V, C) += each row of d_y, at its id."""
    R, C = d_y.shape
    for r in range(R):
        for c in range(C):
            d_weight[ids[r], c] += d_y[r, c]


@loop_in_order
def adamw(weight, grad, m, v, scale, shrink, beta_1, beta_2, rate, bias_2, eps):
    """All (N,): `adamw_step`'s update of weight, m and v by grad · scale."""
    if not weight.size == grad.size == m.size == v.size:
        raise ValueError("AdamW: each weight needs a gradient and two running means")
    kind = weight.dtype.type
    for n in range(weight.size):
        g = grad[n] * kind(scale)
        # (1) decay
        weight[n] *= kind(shrink)
        # (2) running mean of the gradient
        m[n] = m[n] * kind(beta_1) + kind(1 - beta_1) * g
        # (3) running mean of its square
        v[n] = v[n] * kind(beta_2) + kind(1 - beta_2) * (g * g)
        # (4) step
        size = math.sqrt(v[n] / kind(bias_2)) + kind(eps)
        weight[n] -= kind(rate) * (m[n] / size)
