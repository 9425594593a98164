import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components.split_heads import moved_scale
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def merge_heads(draw):
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, D = draw("T", range(1, 5)), draw("D", range(1, 4))
    numbers = draw.numbers()
    return PairCase(
        component="merge_heads", inputs={"x": numbers.normal(B, H, T, D)},
        d_y=numbers.normal(B, T, H * D), scale=moved_scale,
        laws=(linear_in_the_upstream_gradient, batch_independent, joined_by_hand), views=True)


def joined_by_hand(case, compute):
    x = case.inputs["x"]
    yield "y", compute(case)["y"], np.concatenate([x[:, h] for h in range(x.shape[1])], axis=-1)
