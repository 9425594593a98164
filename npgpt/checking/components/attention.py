import math

import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import (
    mask_for,
    no_step_where_all_is_hidden,
    queries_keys_values,
)
from npgpt.checking.draw import REGIMES
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
               "dropout_mask": numbers.keep(B, H, T, S) if dropout else None}
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    return PairCase(
        component="attention", inputs=inputs, options=options, d_y=numbers.normal(B, H, T, D),
        scale=attention_scale,
        laws=(same_for_any_order_of_keys, blind_to_what_is_hidden, batch_independent,
              linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], causal, T, S))


def attention_scale(case):
    """p @ |v| times 1 + max(|q| @ |k|ᵀ)/√D: scores of size a change a
    probability by u·a of itself."""
    q, k, v = (case.inputs[name] for name in "qkv")
    mask = whole_mask(case.options["mask"], case.options["causal"], q.shape[2], k.shape[2])
    keep = case.options["dropout_mask"]
    root, keep = math.sqrt(q.shape[-1]), 1.0 if keep is None else keep
    scores = q @ k.swapaxes(-1, -2) / root
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    powers = np.exp(scores - np.where(np.isfinite(top), top, 0))
    probs = powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1.0)
    q, k, v, d_y = np.abs(q), np.abs(k), np.abs(v), np.abs(case.d_y)
    factor = 1 + (q @ k.swapaxes(-1, -2)).max() / root
    kept = probs * keep
    d_probs = (d_y @ v.swapaxes(-1, -2)) * keep
    d_scores = factor * probs * (d_probs + (probs * d_probs).sum(axis=-1, keepdims=True))
    return {"y": factor * (kept @ v), "d_q": d_scores @ k / root,
            "d_k": d_scores.swapaxes(-1, -2) @ q / root,
            "d_v": factor * (kept.swapaxes(-1, -2) @ d_y)}
