import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def linear(draw):
    axes = draw("axes", [1, 2, 3])
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    I, O = draw("I", range(1, 7)), draw("O", range(1, 7))
    bias, regime = draw("bias", [True, False]), draw("regime", REGIMES)
    frozen = draw("frozen", [False, True])
    numbers = draw.numbers()
    lead = (B, T)[3 - axes:]
    x = numbers.normal(*lead, I)
    if regime == "stress":
        x = np.float32(x * 10.0 ** numbers.normal(I, std=2)).astype(np.float64)
    params = {"weight": numbers.weight(I, O)}
    if bias:
        params["bias"] = numbers.normal(O)
    return PairCase(
        component="linear", inputs={"x": x}, params=params, d_y=numbers.normal(*lead, O),
        frozen=("",) if frozen else (),
        scale=linear_scale, laws=(linear_in_the_upstream_gradient,),
        edges=(one_input, no_rows, without_a_bias, nan_stays_in_its_row))


def linear_scale(case):
    x, d_y = np.abs(case.inputs["x"]), np.abs(case.d_y)
    weight, bias = np.abs(case.params["weight"]), case.params.get("bias")
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])
    return {"y": rows @ weight + (0 if bias is None else np.abs(bias)),
            "d_x": d_rows @ weight.T, "d_weight": rows.T @ d_rows,
            "d_bias": d_rows.sum(axis=0)}


def one_input(package):
    numbers = Numbers(1)
    x, weight, bias = numbers.normal(3, 1), numbers.normal(1, 2), numbers.normal(2)
    y, saved = run(package, "linear", x, weight, bias)
    d_x, grads = back(package, "linear", np.ones((3, 2)), saved)
    yield "y", y, x * weight + bias, 1e-14
    yield "the shape of d_x", d_x.shape, (3, 1)
    yield "d_bias", grads["bias"], [3, 3]


def no_rows(package):
    numbers = Numbers(2)
    y, saved = run(package, "linear", np.zeros((0, 4, 3)), numbers.normal(3, 2), numbers.normal(2))
    d_x, grads = back(package, "linear", np.zeros((0, 4, 2)), saved)
    yield "the shape of y", y.shape, (0, 4, 2)
    yield "the shape of d_x", d_x.shape, (0, 4, 3)
    yield "d_weight", grads["weight"], np.zeros((3, 2))
    yield "d_bias", grads["bias"], np.zeros(2)


def without_a_bias(package):
    """There is no gradient for one."""
    numbers = Numbers(3)
    _, saved = run(package, "linear", numbers.normal(2, 3), numbers.normal(3, 2))
    grads = back(package, "linear", numbers.normal(2, 2), saved)[1]
    yield "whether the weight alone has a gradient", set(grads) == {"weight"}, True


def nan_stays_in_its_row(package):
    numbers = Numbers(4)
    x = numbers.normal(3, 2)
    x[1, 0] = np.nan
    y, _ = run(package, "linear", x, numbers.normal(2, 2))
    yield "where y is NaN", np.isnan(y).all(axis=1), [False, True, False]
