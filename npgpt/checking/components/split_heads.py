import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.laws import linear_in_the_upstream_gradient


def split_heads(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    H, D, parts = draw("H", range(1, 4)), draw("D", range(1, 4)), draw("parts", [3, None])
    numbers = draw.numbers()
    P = parts or 1
    options = {"heads": H} if parts is None else {"heads": H, "parts": parts}
    return PairCase(
        component="split_heads", inputs={"x": numbers.normal(B, T, P * H * D)}, options=options,
        d_y=numbers.normal(P, B, H, T, D), scale=moved_scale,
        laws=(linear_in_the_upstream_gradient, cut_by_hand), views=True)


def moved_scale(case):
    return {"y": case.inputs["x"], "d_x": case.d_y}


def cut_by_hand(case, compute):
    """Part p of head h holds the D channels that begin at (p·H + h)·D."""
    x, y = case.inputs["x"], compute(case)["y"]
    P, B, H, T, D = y.shape
    for p, h in np.ndindex(P, H):
        first = (p * H + h) * D
        yield "y", y[p, :, h], x[:, :, first:first + D]
