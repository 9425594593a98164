import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def split_heads(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    H, D = draw("H", range(1, 4)), draw("D", range(1, 4))
    numbers = draw.numbers()
    return PairCase(
        component="split_heads", inputs={"x": numbers.normal(B, T, H * D)}, options={"heads": H},
        d_y=numbers.normal(B, H, T, D), scale=moved_scale,
        laws=(linear_in_the_upstream_gradient, batch_independent, cut_by_hand), views=True)


def moved_scale(case):
    return {"y": case.inputs["x"], "d_x": case.d_y}


def cut_by_hand(case, compute):
    """Head h holds the D channels that begin at h·D."""
    x, y = case.inputs["x"], compute(case)["y"]
    for h in range(y.shape[1]):
        yield "y", y[:, h], x[:, :, np.arange(y.shape[-1]) + h * y.shape[-1]]
