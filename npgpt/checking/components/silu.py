import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def silu(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(1, 5))
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    x = numbers.normal(B, T, C, std=50.0 if regime == "stress" else 1.0)
    return PairCase(
        component="silu", inputs={"x": x}, d_y=numbers.normal(B, T, C), scale=silu_scale,
        laws=(silu_of_x_and_minus_x_differ_by_x, batch_independent,
              linear_in_the_upstream_gradient, same_for_any_order_of_positions),
        edges=(far_out,))


def silu_scale(case):
    """y = x · σ, where the sigmoid's error is that of a number below 1; dy/dx
    adds x · σ · (1 − σ), whose last factor cancels."""
    x = np.abs(case.inputs["x"])
    return {"y": x, "d_x": np.abs(case.d_y) * (1 + x)}


def silu_of_x_and_minus_x_differ_by_x(case, compute):
    x = case.inputs["x"]
    yield "y", compute(case)["y"] - compute(with_values(case, x=-x))["y"], x


def far_out(package):
    """Where exp(−x) overflows in float64, too; and at 0."""
    y, saved = run(package, "silu", np.array([-800.0, 0.0, 800.0]))
    yield "y", y, [0, 0, 800]
    yield "d_x", back(package, "silu", np.ones(3), saved), [0, 0.5, 1]
