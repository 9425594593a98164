"""dropout, gelu: each number on its own."""

import math

import numpy as np

from npgpt.checking.case import Case
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def dropout(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(1, 5))
    rate = draw("rate", [0.25, 0.5, 1.0, None])
    numbers = draw.numbers()
    options = {} if rate is None else {"keep": numbers.keep(B, T, C, rate=rate)}
    return Case("dropout", {"x": numbers.normal(B, T, C)}, {}, options,
                numbers.normal(B, T, C), dropout_scale,
                (linear_in_the_upstream_gradient, batch_independent,
                 same_for_any_order_of_positions), views=True)


def dropout_scale(case):
    keep = case.options.get("keep", 1.0)
    return {"y": case.inputs["x"] * keep, "d_x": case.d_y * keep}


def gelu(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(1, 5))
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    x = numbers.normal(B, T, C, std=20.0 if regime == "stress" else 1.0)
    return Case("gelu", {"x": x}, {}, {}, numbers.normal(B, T, C), gelu_scale,
                (gelu_of_x_and_minus_x_differ_by_x, batch_independent,
                 linear_in_the_upstream_gradient, same_for_any_order_of_positions))


def gelu_scale(case):
    """y = x · gate, where the gate's error is that of a number below 1;
    dy/dx adds x · (1 − tanh²) · inner', whose first factor cancels."""
    x = np.abs(case.inputs["x"])
    d_inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return {"y": x, "d_x": np.abs(case.d_y) * (1 + 0.5 * x * d_inner)}


def gelu_of_x_and_minus_x_differ_by_x(case, compute):
    x = case.inputs["x"]
    yield "y", compute(case)["y"] - compute(case.with_inputs(x=-x))["y"], x
