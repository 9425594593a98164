import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components.split_heads import moved_scale
from npgpt.checking.laws import linear_in_the_upstream_gradient


def split_qkv(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    H, D = draw("H", range(1, 4)), draw("D", range(1, 4))
    numbers = draw.numbers()
    return PairCase(
        component="split_qkv", inputs={"x": numbers.normal(B, T, 3 * H * D)},
        options={"heads": H}, d_y=numbers.normal(3, B, H, T, D), scale=moved_scale,
        laws=(linear_in_the_upstream_gradient, cut_by_hand), views=True)


def cut_by_hand(case, compute):
    """Part p of head h holds the D channels that begin at (p·H + h)·D."""
    x, y = case.inputs["x"], compute(case)["y"]
    P, B, H, T, D = y.shape
    for p, h in np.ndindex(P, H):
        first = (p * H + h) * D
        yield "y", y[p, :, h], x[:, :, first:first + D]
