import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def dropout(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(1, 5))
    rate = draw("rate", [0.25, 0.5, 1.0, None])
    numbers = draw.numbers()
    options = {} if rate is None else {"dropout_mask": numbers.dropout_mask(B, T, C, rate=rate)}
    return PairCase(
        component="dropout", inputs={"x": numbers.normal(B, T, C)}, options=options,
        d_y=numbers.normal(B, T, C), scale=dropout_scale,
        laws=(linear_in_the_upstream_gradient, batch_independent, same_for_any_order_of_positions),
        edges=(without_a_mask, rate_1_silences_all), views=True)


def dropout_scale(case):
    mask = case.options.get("dropout_mask", 1.0)
    return {"y": case.inputs["x"] * mask, "d_x": case.d_y * mask}


def without_a_mask(package):
    """Nothing happens."""
    x = Numbers(1).normal(2, 3)
    y, saved = run(package, "dropout", x)
    yield "y", y, x
    yield "d_x", back(package, "dropout", x, saved), x


def rate_1_silences_all(package):
    numbers = Numbers(2)
    y, saved = run(package, "dropout", numbers.normal(2, 3), np.zeros((2, 3)))
    yield "y", y, np.zeros((2, 3))
    yield "d_x", back(package, "dropout", numbers.normal(2, 3), saved), np.zeros((2, 3))
