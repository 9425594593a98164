import math

import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import (
    mask_for,
    no_step_where_all_is_hidden,
    queries_keys_values,
)
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    blind_to_what_is_hidden,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_keys,
    whole_mask,
)


def attention(draw):
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, S, D = draw("T", range(1, 5)), draw("S", range(1, 6)), draw("D", range(1, 6))
    mask = draw("mask", ["none", "square", "padding", "random"])
    causal = draw("causal", [False, True])
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"mask": mask_for(mask, numbers, B, H, T, S), "causal": causal,
               "dropout_mask": numbers.dropout_mask(B, H, T, S) if dropout else None}
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    return PairCase(
        component="attention", inputs=inputs, options=options, d_y=numbers.normal(B, H, T, D),
        scale=attention_scale,
        laws=(same_for_any_order_of_keys, blind_to_what_is_hidden, batch_independent,
              linear_in_the_upstream_gradient),
        edges=(one_query_and_one_key, a_query_that_sees_nothing, where_every_key_is_masked,
               a_hidden_nan, hidden_values_do_not_matter),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], causal, T, S))


def attention_scale(case):
    """p @ |v| times 1 + max(|q| @ |k|ᵀ)/√D: scores of size a change a
    probability by u·a of itself."""
    q, k, v = (case.inputs[name] for name in "qkv")
    mask = whole_mask(case.options["mask"], case.options["causal"], q.shape[2], k.shape[2])
    dropout_mask = case.options["dropout_mask"]
    dropout_mask = 1.0 if dropout_mask is None else dropout_mask
    root = math.sqrt(q.shape[-1])
    scores = q @ k.swapaxes(-1, -2) / root
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isfinite(top), top, 0))
    probs = powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1.0)
    q, k, v, d_y = np.abs(q), np.abs(k), np.abs(v), np.abs(case.d_y)
    factor = 1 + (q @ k.swapaxes(-1, -2)).max() / root
    dropped = probs * dropout_mask
    d_probs = (d_y @ v.swapaxes(-1, -2)) * dropout_mask
    d_scores = factor * probs * (d_probs + (probs * d_probs).sum(axis=-1, keepdims=True))
    return {"y": factor * (dropped @ v), "d_q": d_scores @ k / root,
            "d_k": d_scores.swapaxes(-1, -2) @ q / root,
            "d_v": factor * (dropped.swapaxes(-1, -2) @ d_y)}


def some(T, S, D=3):
    return list(queries_keys_values(Numbers(1), "benign", 2, 2, T, S, D).values())


def one_query_and_one_key(package):
    """They give the value."""
    q, k, v = some(1, 1)
    y, saved = run(package, "attention", q, k, v)
    d_q, d_k, d_v = back(package, "attention", v, saved)
    yield "y", y, v
    yield "d_q", d_q, np.zeros_like(q), 1e-15
    yield "d_k", d_k, np.zeros_like(k), 1e-15
    yield "d_v", d_v, v


def a_query_that_sees_nothing(package):
    """It gets zeros, and its gradient is zero."""
    q, k, v = some(3, 2)
    mask = np.array([[False, False], [True, False], [True, True]])
    y, saved = run(package, "attention", q, k, v, mask)
    grads = back(package, "attention", q, saved)
    yield "y of that query", y[:, :, 0], np.zeros_like(q[:, :, 0])
    yield "d_q of that query", grads[0][:, :, 0], np.zeros_like(q[:, :, 0])
    yield "whether all is finite", all(np.isfinite(each).all() for each in (y, *grads)), True


def where_every_key_is_masked(package):
    """Every gradient is zero."""
    q, k, v = some(2, 3)
    y, saved = run(package, "attention", q, k, v, np.zeros((2, 3), bool))
    yield "y", y, np.zeros_like(q)
    for name, grad, like in zip("qkv", back(package, "attention", q, saved), (q, k, v)):
        yield f"d_{name}", grad, np.zeros_like(like)


def a_hidden_nan(package):
    """A key's is never read; a value's spoils its own sequence and head
    alone, as 0 times NaN is NaN, in PyTorch's own operator, too."""
    q, k, v = some(2, 3)
    mask = np.array([[True, True, False]] * 2)
    before, _ = run(package, "attention", q, k, v, mask)
    k[0, 1, 2] = np.nan
    yield "y of a key", run(package, "attention", q, k, v, mask)[0], before
    v[0, 1, 2] = np.nan
    y, _ = run(package, "attention", q, k, v, mask)
    wanted = np.zeros(y.shape, bool)
    wanted[0, 1] = True
    yield "where y of a value is NaN", np.isnan(y), wanted
    yield "where it is finite", np.isfinite(y), ~wanted


def hidden_values_do_not_matter(package):
    q, k, v = some(2, 3)
    mask = np.array([[True, True, False]] * 2)
    before, _ = run(package, "attention", q, k, v, mask)
    v[:, :, 2] = 1e300
    yield "y", run(package, "attention", q, k, v, mask)[0], before
