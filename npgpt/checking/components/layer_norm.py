import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    gradient_rows_sum_to_zero,
    linear_in_the_upstream_gradient,
    shift_invariant,
)


def layer_norm(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 4)), draw("C", range(1, 9))
    regime = draw("regime", [*REGIMES, "tiny"])
    eps, frozen = draw("eps", [None, 1e-3]), draw("frozen", [False, True])
    numbers = draw.numbers()
    spread, mean = {"benign": (1.0, 0.0), "stress": (1.0, 1e4), "tiny": (1e-6, 0.0)}[regime]
    params = {"weight": numbers.normal(C, std=0.5, mean=1.0), "bias": numbers.normal(C)}
    return PairCase(
        component="layer_norm", inputs={"x": numbers.normal(B, T, C, std=spread, mean=mean)},
        params=params, options={} if eps is None else {"eps": eps}, d_y=numbers.normal(B, T, C),
        scale=layer_norm_scale, frozen=("",) if frozen else (),
        laws=(shift_invariant("x"),
              gradient_rows_sum_to_zero("x"), batch_independent, linear_in_the_upstream_gradient),
        edges=(one_feature, a_constant_row, no_rows))


def layer_norm_scale(case):
    """With κ = 1 + max|x|/σ: subtracting the mean leaves an error of u·max|x|,
    which the division by σ turns into u·κ."""
    x, d_y = case.inputs["x"], np.abs(case.d_y)
    weight, bias = np.abs(case.params["weight"]), np.abs(case.params["bias"])
    sigma = np.sqrt(x.var(axis=-1, keepdims=True) + case.options.get("eps", 1e-5))
    normed = np.abs(x - x.mean(axis=-1, keepdims=True)) / sigma
    kappa = 1 + np.abs(x).max(axis=-1, keepdims=True) / sigma
    d_normed = d_y * weight
    mean_grad = (d_normed * (1 + normed)).mean(axis=-1, keepdims=True)
    d_x = kappa / sigma * (d_normed + (1 + normed) * mean_grad)
    rows = tuple(range(x.ndim - 1))
    return {"y": kappa * (1 + normed) * weight + bias,
            "d_x": d_x + d_x.mean(axis=-1, keepdims=True),
            "d_weight": (d_y * kappa * (1 + normed)).sum(axis=rows),
            "d_bias": d_y.sum(axis=rows)}


def one_feature(package):
    """It becomes the bias."""
    x, d_y = Numbers(1).normal(4, 1), Numbers(2).normal(4, 1)
    y, saved = run(package, "layer_norm", x, np.array([2.0]), np.array([0.5]))
    d_x, grads = back(package, "layer_norm", d_y, saved)
    yield "y", y, [[0.5]] * 4
    yield "d_x", d_x, np.zeros((4, 1))
    yield "d_weight", grads["weight"], [0]


def a_constant_row(package):
    """It becomes the bias."""
    bias = np.array([1.0, 2, 3, 4])
    y, _ = run(package, "layer_norm", np.full((2, 4), 7.0), Numbers(3).normal(4), bias)
    yield "y", y, np.stack([bias, bias])


def no_rows(package):
    numbers = Numbers(4)
    y, saved = run(package, "layer_norm", np.zeros((0, 3)), numbers.normal(3), numbers.normal(3))
    grads = back(package, "layer_norm", np.zeros((0, 3)), saved)[1]
    yield "the shape of y", y.shape, (0, 3)
    yield "d_weight", grads["weight"], np.zeros(3)
