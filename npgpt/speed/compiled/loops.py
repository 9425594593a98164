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

from npgpt.layers.cross_entropy import IGNORE
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
def add_bias(y, bias):
    """y (R, O) += bias (O,), in place."""
    R, O = y.shape
    if bias.shape != (O,):
        raise ValueError("linear: bias needs as many numbers as weight has columns")
    for r in range(R):
        for o in range(O):
            y[r, o] += bias[o]


@loop
def column_sum(d_y):
    """d_y (R, O) -> (O,), the sum of its rows."""
    R, O = d_y.shape
    total = np.zeros(O, d_y.dtype)
    for r in range(R):
        for o in range(O):
            total[o] += d_y[r, o]
    return total


@loop
def layer_norm(x, weight, bias, eps):
    """x (R, C), weight, bias (C,) -> y (R, C), means, inv_stds (R,)."""
    R, C = x.shape
    if weight.shape != (C,) or bias.shape != (C,):
        raise ValueError("layer norm: weight and bias need as many numbers as x has channels")
    kind = x.dtype.type
    part = kind(1 / C)
    y, means, inv_stds = np.empty_like(x), np.empty(R, x.dtype), np.empty(R, x.dtype)
    for r in range(R):
        # (1) centre
        total = kind(0)
        for c in range(C):
            total += x[r, c]
        means[r] = mean = total * part
        # (2) divide by the standard deviation
        squares = kind(0)
        for c in range(C):
            centred = x[r, c] - mean
            squares += centred * centred
        inv_stds[r] = inv_std = kind(1) / math.sqrt(squares * part + kind(eps))
        # (3) scale and shift
        for c in range(C):
            y[r, c] = (x[r, c] - mean) * inv_std * weight[c] + bias[c]
    return y, means, inv_stds


@loop
def layer_norm_backward(d_y, x, means, inv_stds, weight):
    """d_y, x (R, C), means, inv_stds (R,), weight (C,) -> d_x (R, C),
    d_weight, d_bias (C,)."""
    R, C = x.shape
    if d_y.shape != (R, C):
        raise ValueError("layer norm: d_y needs y's shape")
    kind = x.dtype.type
    part = kind(1 / C)
    d_x, d_weight, d_bias = np.empty_like(d_y), np.zeros_like(weight), np.zeros_like(weight)
    for r in range(R):
        mean, inv_std = means[r], inv_stds[r]
        # (3) scale and shift
        mean_product, total = kind(0), kind(0)
        for c in range(C):
            normed = (x[r, c] - mean) * inv_std
            d_weight[c] += d_y[r, c] * normed
            d_bias[c] += d_y[r, c]
            d_normed = d_y[r, c] * weight[c]
            mean_product += d_normed * normed
            total += d_normed
        mean_product *= part
        mean_grad = total * part
        # (2, 1) divide by the standard deviation, centre
        for c in range(C):
            normed = (x[r, c] - mean) * inv_std
            d_normed = d_y[r, c] * weight[c]
            d_x[r, c] = (d_normed - mean_grad - normed * mean_product) * inv_std
    return d_x, d_weight, d_bias


@loop
def gelu_inner(x):
    """x (N,) -> what GELU takes the tanh of (N,)."""
    kind = x.dtype.type
    one, three = kind(ROOT), kind(ROOT * CUBIC)
    inner = np.empty_like(x)
    for n in range(x.size):
        inner[n] = x[n] * (one + three * x[n] * x[n])
    return inner


@loop
def gelu_outer(x, tanh):
    """x, tanh (N,) -> y (N,); tanh becomes the slope dy/dx, in place."""
    kind = x.dtype.type
    one, two, six = kind(1), kind(2 * ROOT), kind(6 * ROOT * CUBIC)
    y = np.empty_like(x)
    for n in range(x.size):
        gate = kind(0.5) * tanh[n] + kind(0.5)
        y[n] = x[n] * gate
        d_inner = two + six * x[n] * x[n]
        tanh[n] = gate + y[n] * (one - gate) * d_inner
    return y


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
    times scale, and -inf for later keys, in place."""
    N, T, S = scores.shape
    factor = scores.dtype.type(scale)
    for n in range(N):
        for t in range(T):
            row, past = scores[n, t], S - T + t + 1
            top = largest(row[:past])
            for s in range(past):
                row[s] = (row[s] - top) * factor
            for s in range(past, S):
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
            factor = kind(1) / total
            for s in range(S):
                row[s] *= factor


@loop
def softmax_backward(d_probs, probs, mean_grad, scale):
    """d_probs, probs (N, T, S), mean_grad (N, T): d_probs becomes d_scores."""
    N, T, S = probs.shape
    if d_probs.shape != (N, T, S) or mean_grad.shape != (N, T):
        raise ValueError("attention: d_y needs y's shape")
    factor = probs.dtype.type(scale)
    for n in range(N):
        for t in range(T):
            row, d_row, less = probs[n, t], d_probs[n, t], mean_grad[n, t]
            for s in range(S):
                d_row[s] = row[s] * (d_row[s] - less) * factor


@loop
def shift_logits(logits, targets):
    """logits (R, V), targets (R,) -> each row less its largest (R, V), and
    what it has for its target (R,)."""
    R, V = logits.shape
    if targets.shape != (R,):
        raise ValueError("cross-entropy: each row of logits needs a target")
    shifted, score = np.empty_like(logits), np.zeros(R, logits.dtype)
    for r in range(R):
        top = largest(logits[r])
        for v in range(V):
            shifted[r, v] = logits[r, v] - top
        if targets[r] != IGNORE:
            if not 0 <= targets[r] < V:
                raise IndexError("cross-entropy: a target is not in the vocabulary")
            score[r] = shifted[r, targets[r]]
    return shifted, score


@loop
def losses_of_rows(powers, score, targets):
    """powers (R, V) become probabilities, in place -> the sum of the
    losses, a float."""
    R, V = powers.shape
    kind = powers.dtype.type
    loss = 0.0
    for r in range(R):
        total = kind(0)
        for v in range(V):
            total += powers[r, v]
        factor = kind(1) / total
        for v in range(V):
            powers[r, v] *= factor
        if targets[r] != IGNORE:
            loss += math.log(total) - score[r]
    return loss


@loop
def cross_entropy_backward(probs, targets, d_loss):
    """probs (R, V), targets (R,), d_loss of each that counts -> d_logits
    (R, V)."""
    R, V = probs.shape
    kind = probs.dtype.type
    d_logits = np.empty_like(probs)
    for r in range(R):
        counts = targets[r] != IGNORE
        factor = kind(d_loss) if counts else kind(0)
        for v in range(V):
            d_logits[r, v] = probs[r, v] * factor
        if counts:
            d_logits[r, targets[r]] -= factor
    return d_logits


@loop
def embedding_backward(ids, d_y, d_weight):
    """ids (R,), d_y (R, C): d_weight (V, C) += each row of d_y, at its id."""
    R, C = d_y.shape
    V = len(d_weight)
    if ids.shape != (R,) or d_weight.shape != (V, C):
        raise ValueError("embedding: d_y needs y's shape")
    for r in range(R):
        if not -V <= ids[r] < V:
            raise IndexError("embedding: an id is not in the vocabulary")
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
