import math

import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def gelu(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(1, 5))
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    x = numbers.normal(B, T, C, std=20.0 if regime == "stress" else 1.0)
    return PairCase(
        component="gelu", inputs={"x": x}, d_y=numbers.normal(B, T, C), scale=gelu_scale,
        laws=(gelu_of_x_and_minus_x_differ_by_x, batch_independent,
              linear_in_the_upstream_gradient, same_for_any_order_of_positions),
        edges=(far_out,))


def gelu_scale(case):
    """y = x · gate, where the gate's error is that of a number below 1;
    dy/dx adds x · (1 − tanh²) · inner', whose first factor cancels."""
    x = np.abs(case.inputs["x"])
    d_inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return {"y": x, "d_x": np.abs(case.d_y) * (1 + 0.5 * x * d_inner)}


def gelu_of_x_and_minus_x_differ_by_x(case, compute):
    x = case.inputs["x"]
    yield "y", compute(case)["y"] - compute(with_values(case, x=-x))["y"], x


def far_out(package):
    y, saved = run(package, "gelu", np.array([-40.0, 0.0, 40.0]))
    yield "y", y, [0, 0, 40]
    yield "d_x", back(package, "gelu", np.ones(3), saved), [0, 0.5, 1]
