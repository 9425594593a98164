import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES
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
        scale=linear_scale, laws=(linear_in_the_upstream_gradient,))


def linear_scale(case):
    x, d_y = np.abs(case.inputs["x"]), np.abs(case.d_y)
    weight, bias = np.abs(case.params["weight"]), case.params.get("bias")
    rows, d_rows = x.reshape(-1, x.shape[-1]), d_y.reshape(-1, d_y.shape[-1])
    return {"y": rows @ weight + (0 if bias is None else np.abs(bias)),
            "d_x": d_rows @ weight.T, "d_weight": rows.T @ d_rows,
            "d_bias": d_rows.sum(axis=0)}
