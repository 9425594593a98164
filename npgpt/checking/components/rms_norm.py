import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def rms_norm(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 4)), draw("C", range(1, 9))
    regime = draw("regime", [*REGIMES, "tiny"])
    eps, frozen = draw("eps", [None, 1e-3]), draw("frozen", [False, True])
    numbers = draw.numbers()
    spread, mean = {"benign": (1.0, 0.5), "stress": (1e3, 1e4), "tiny": (1e-3, 0.0)}[regime]
    return PairCase(
        component="rms_norm", inputs={"x": numbers.normal(B, T, C, std=spread, mean=mean)},
        params={"weight": numbers.normal(C, std=0.5, mean=1.0)},
        options={} if eps is None else {"eps": eps}, d_y=numbers.normal(B, T, C),
        scale=rms_norm_scale, frozen=("",) if frozen else (),
        laws=(its_length_has_no_gradient_without_eps, twice_x_gives_the_same_without_eps,
              batch_independent, linear_in_the_upstream_gradient,
              same_for_any_order_of_positions),
        edges=(a_row_of_zeros, its_root_mean_square_is_one, no_rows))


def rms_norm_scale(case):
    """Nothing cancels in the mean of squares; d_x subtracts two terms of the
    size of d_normed / rms."""
    x, d_y = case.inputs["x"], np.abs(case.d_y)
    weight = np.abs(case.params["weight"])
    rms = np.sqrt((x * x).mean(axis=-1, keepdims=True) + case.options.get("eps", 1e-5))
    normed = np.abs(x) / rms
    d_normed = d_y * weight
    mean_grad = (d_normed * normed).mean(axis=-1, keepdims=True)
    rows = tuple(range(x.ndim - 1))
    return {"y": normed * weight, "d_x": (d_normed + normed * mean_grad) / rms,
            "d_weight": (d_y * normed).sum(axis=rows)}


def its_length_has_no_gradient_without_eps(case, compute):
    """A longer x gives the same y, so that Σ x · d_x is 0."""
    exact = with_values(case, eps=0.0)
    if "eps" not in case.options:
        return
    x, d_x = case.inputs["x"], compute(exact)["d_x"]
    length = np.abs(x).max(axis=-1, keepdims=True) * x.shape[-1]
    yield "d_x", (x * d_x / length).sum(axis=-1), np.zeros(x.shape[:-1]), exact


def twice_x_gives_the_same_without_eps(case, compute):
    exact = with_values(case, eps=0.0)
    if "eps" not in case.options:
        return
    once, twice = compute(exact), compute(with_values(exact, x=2 * case.inputs["x"]))
    yield "y", twice["y"], once["y"], exact
    yield "d_x", 2 * twice["d_x"], once["d_x"], exact


def a_row_of_zeros(package):
    """It stays zero, and its gradient is d_y · weight / √eps."""
    y, saved = run(package, "rms_norm", np.zeros((1, 2)), np.array([1.0, 3.0]), 0.25)
    d_x, grads = back(package, "rms_norm", np.array([[1.0, -1.0]]), saved)
    yield "y", y, [[0, 0]]
    yield "d_x", d_x, [[2, -6]]
    yield "d_weight", grads["weight"], [0, 0]


def its_root_mean_square_is_one(package):
    x = Numbers(1).normal(5, 8, std=3.0)
    y, _ = run(package, "rms_norm", x, np.ones(8), 0.0)
    yield "the root mean square", np.sqrt((y * y).mean(axis=-1)), np.ones(5), 1e-14


def no_rows(package):
    weight = Numbers(4).normal(3)
    y, saved = run(package, "rms_norm", np.zeros((0, 3)), weight)
    grads = back(package, "rms_norm", np.zeros((0, 3)), saved)[1]
    yield "the shape of y", y.shape, (0, 3)
    yield "d_weight", grads["weight"], np.zeros(3)
