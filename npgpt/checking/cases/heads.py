"""split_heads, merge_heads: nothing is computed, only moved."""

import numpy as np

from npgpt.checking.case import Case
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def split_heads(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    H, D, parts = draw("H", range(1, 4)), draw("D", range(1, 4)), draw("parts", [3, None])
    numbers = draw.numbers()
    P = parts or 1
    options = {"heads": H} if parts is None else {"heads": H, "parts": parts}
    return Case("split_heads", {"x": numbers.normal(B, T, P * H * D)}, {}, options,
                numbers.normal(P, B, H, T, D), moved_scale,
                (linear_in_the_upstream_gradient, cut_by_hand), views=True)


def merge_heads(draw):
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, D = draw("T", range(1, 5)), draw("D", range(1, 4))
    numbers = draw.numbers()
    return Case("merge_heads", {"x": numbers.normal(B, H, T, D)}, {}, {},
                numbers.normal(B, T, H * D), moved_scale,
                (linear_in_the_upstream_gradient, batch_independent, joined_by_hand), views=True)


def moved_scale(case):
    return {"y": case.inputs["x"], "d_x": case.d_y}


def cut_by_hand(case, compute):
    """Part p of head h holds the D channels that begin at (p·H + h)·D."""
    x, y = case.inputs["x"], compute(case)["y"]
    P, B, H, T, D = y.shape
    for p, h in np.ndindex(P, H):
        first = (p * H + h) * D
        yield "y", y[p, :, h], x[:, :, first:first + D]


def joined_by_hand(case, compute):
    x = case.inputs["x"]
    yield "y", compute(case)["y"], np.concatenate([x[:, h] for h in range(x.shape[1])], axis=-1)
