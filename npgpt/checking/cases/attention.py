import math

import numpy as np

from npgpt.checking.case import Case
from npgpt.checking.cases.softmax import no_step_where_all_is_hidden
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import (
    batch_independent,
    blind_to_what_is_hidden,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_keys,
)


def attention(draw):
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, S, D = draw("T", range(1, 5)), draw("S", range(1, 6)), draw("D", range(1, 6))
    mask = draw("mask", ["none", "causal", "padding", "random"])
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"visible": visible_for(mask, numbers, B, H, T, S),
               "keep": numbers.keep(B, H, T, S) if dropout else None}
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    return Case("attention", inputs, {}, options, numbers.normal(B, H, T, D), attention_scale,
                (same_for_any_order_of_keys, blind_to_what_is_hidden, batch_independent,
                 linear_in_the_upstream_gradient),
                no_complex_step=no_step_where_all_is_hidden(options["visible"]))


def blockwise_attention(draw):
    """In blocks of 1 to 3 queries, the mask left out; or in one, given."""
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, D = draw("T", range(1, 6)), draw("D", range(1, 6))
    S, size = T + draw("earlier", range(3)), draw("size", [2, 1, 3, 64])
    mask = draw("mask", ["none", "padding"])
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    visible = visible_for(mask, numbers, B, H, T, S)
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    options = {"visible": visible, "keep": numbers.keep(B, H, T, S) if dropout else None}
    if size != 64:
        options["size"] = size
    return Case("blockwise_attention", inputs, {}, options, numbers.normal(B, H, T, D),
                blockwise_attention_scale,
                (blind_to_what_is_hidden, batch_independent, linear_in_the_upstream_gradient),
                no_complex_step=no_step_where_all_is_hidden(visible))


def blockwise_attention_scale(case):
    """That of attention, with the causal mask written out."""
    if case.options["visible"] is None:
        T, S = case.inputs["q"].shape[2], case.inputs["k"].shape[2]
        case = case.with_inputs(visible=np.tri(T, S, S - T, dtype=bool))
    return attention_scale(case)


def queries_keys_values(numbers, regime, B, H, T, S, D):
    std = 7.0 if regime == "stress" else 1.0      # scores of ±50, and one-hot rows
    return {"q": numbers.normal(B, H, T, D, std=std),
            "k": numbers.normal(B, H, S, D, std=std), "v": numbers.normal(B, H, S, D)}


def visible_for(mask, numbers, B, H, T, S):
    """None; (T, S) flushed bottom-right; (B, 1, 1, S); or (B, H, T, S) with
    queries that may look nowhere."""
    if mask == "none":
        return None
    if mask == "causal":
        return np.arange(S) <= np.arange(T)[:, None] + S - T
    if mask == "padding":
        return numbers.uniform(B, 1, 1, S) < 0.7
    return numbers.uniform(B, H, T, S) < 0.5


def attention_scale(case):
    """p @ |v| times 1 + max(|q| @ |k|ᵀ)/√D: scores of size a change a
    probability by u·a of itself."""
    q, k, v = (case.inputs[name] for name in "qkv")
    visible, keep = case.options["visible"], case.options["keep"]
    root, keep = math.sqrt(q.shape[-1]), 1.0 if keep is None else keep
    scores = q @ k.swapaxes(-1, -2) / root
    if visible is not None:
        scores = np.where(visible, scores, -np.inf)
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
