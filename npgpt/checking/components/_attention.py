"""What the cases of attention share: masks, and queries, keys and values."""

import numpy as np

from npgpt.checking.laws import whole_mask


def mask_for(mask, numbers, B, H, T, S):
    """None; (T, S); (B, 1, 1, S); or (B, H, T, S) with queries that may attend
    to nothing."""
    if mask == "none":
        return None
    if mask == "square":
        return np.arange(S) <= np.arange(T)[:, None] + S - T
    if mask == "padding":
        return numbers.uniform(B, 1, 1, S) < 0.7
    return numbers.uniform(B, H, T, S) < 0.5


def no_step_where_all_is_hidden(mask, causal=False, T=1, S=1):
    """Why such a case has no complex step, or nothing."""
    mask = whole_mask(mask, causal, T, S)
    if mask is None or mask.any(axis=-1).all():
        return ""
    return "a row that may see nothing: −inf less −inf is not a number off the real line"


def queries_keys_values(numbers, regime, B, H, T, S, D):
    std = 7.0 if regime == "stress" else 1.0      # scores of ±50, and one-hot rows
    return {"q": numbers.normal(B, H, T, D, std=std),
            "k": numbers.normal(B, H, S, D, std=std), "v": numbers.normal(B, H, S, D)}
