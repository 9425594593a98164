import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import no_step_where_all_is_hidden
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    gradient_rows_sum_to_zero,
    linear_in_the_upstream_gradient,
    shift_invariant,
)


def softmax(draw):
    B, T, S = draw("B", range(1, 4)), draw("T", range(1, 4)), draw("S", range(1, 7))
    hidden, regime = draw("hidden", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    x = numbers.normal(B, T, S, std=50.0 if regime == "stress" else 1.0)
    if hidden:
        x[numbers.uniform(B, T, S) < 0.3] = -np.inf
    return PairCase(
        component="softmax", inputs={"x": x}, d_y=numbers.normal(B, T, S), scale=softmax_scale,
        laws=(rows_sum_to_one, shift_invariant("x"),
              gradient_rows_sum_to_zero("x"), batch_independent, linear_in_the_upstream_gradient),
        edges=(one_entry_is_certain, minus_infinity_has_probability_zero, a_row_of_minus_infinity,
               huge_scores_do_not_overflow, nan_stays_in_its_row),
        no_complex_step=no_step_where_all_is_hidden(x > -np.inf))


def softmax_scale(case):
    """Scores of size a are rounded by u·a, which changes a probability by
    as large a part of itself."""
    x, d_y = case.inputs["x"], np.abs(case.d_y)
    finite = np.isfinite(x)
    factor = 1 + largest_finite(x)
    top = np.where(finite, x, -np.inf).max(axis=-1, keepdims=True)
    powers = np.exp(np.where(finite, x - np.where(np.isfinite(top), top, 0), -np.inf))
    probs = powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1.0)
    mean_grad = (probs * d_y).sum(axis=-1, keepdims=True)
    return {"y": factor * probs, "d_x": factor * probs * (d_y + mean_grad)}


def largest_finite(x):
    return float(np.abs(x[np.isfinite(x)]).max(initial=0.0))


def rows_sum_to_one(case, compute):
    sums = compute(case)["y"].sum(axis=-1)
    not_all_hidden = np.isfinite(case.inputs["x"]).any(axis=-1)
    yield "y", sums, not_all_hidden.astype(float)


def one_entry_is_certain(package):
    y, saved = run(package, "softmax", np.array([[7.0], [-1e300]]))
    yield "y", y, [[1], [1]]
    yield "d_x", back(package, "softmax", np.array([[3.0], [4.0]]), saved), [[0], [0]]


def minus_infinity_has_probability_zero(package):
    y, _ = run(package, "softmax", np.array([0.0, -np.inf, 0.0]))
    yield "y", y, [0.5, 0, 0.5]


def a_row_of_minus_infinity(package):
    """It is zero, and so is its gradient."""
    y, saved = run(package, "softmax", np.full((2, 3), -np.inf))
    yield "y", y, np.zeros((2, 3))
    yield "d_x", back(package, "softmax", Numbers(1).normal(2, 3), saved), np.zeros((2, 3))


def huge_scores_do_not_overflow(package):
    y, _ = run(package, "softmax", np.array([1e300, 0.0, -1e300]))
    yield "y", y, [1, 0, 0]


def nan_stays_in_its_row(package):
    y, _ = run(package, "softmax", np.array([[np.nan, 0.0], [0.0, 0.0]]))
    yield "where the first row is NaN", np.isnan(y[0]), [True, True]
    yield "the second row", y[1], [0.5, 0.5]
