import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def line(draw):
    M, regime = draw("M", range(1, 8)), draw("regime", REGIMES)
    numbers = draw.numbers()
    x, targets = numbers.normal(M), numbers.normal(M)
    if regime == "stress":
        x = np.float32(x * 10.0 ** numbers.normal(M, std=2)).astype(np.float64)
    params = {"weight": numbers.normal(), "bias": numbers.normal()}
    return PairCase(
        component="line", inputs={"x": x}, params=params, options={"targets": targets},
        d_y=numbers.normal(), scale=line_scale,
        laws=(linear_in_the_upstream_gradient, same_for_any_order_of_points,
              nothing_to_gain_on_the_best_line),
        edges=(one_point, on_the_line))


def line_scale(case):
    x, targets = np.abs(case.inputs["x"]), np.abs(case.options["targets"])
    weight, bias = (np.abs(case.params[name]) for name in ("weight", "bias"))
    error = weight * x + bias + targets
    d_error = np.abs(case.d_y) * 2 / len(x) * error
    return {"y": (error * error).mean(), "d_x": d_error * weight,
            "d_weight": (d_error * x).sum(), "d_bias": d_error.sum()}


def same_for_any_order_of_points(case, compute):
    order = {"x": case.inputs["x"][::-1], "targets": case.options["targets"][::-1]}
    before, after = compute(case), compute(with_values(case, **order))
    for name in "y", "d_weight", "d_bias":
        yield name, after[name], before[name]


def nothing_to_gain_on_the_best_line(case, compute):
    """Where least squares puts it, by the normal equations, no step is downhill."""
    x, targets = case.inputs["x"], case.options["targets"]
    spread = np.ptp(x)
    if len(x) < 2 or spread < 0.5 or spread > 10:       # else the equations lose digits
        return
    weight = ((x - x.mean()) * (targets - targets.mean())).sum() / ((x - x.mean()) ** 2).sum()
    best = with_values(case, weight=weight, bias=targets.mean() - weight * x.mean())
    found = compute(best)
    for name in "d_weight", "d_bias":
        yield name, found[name], np.zeros(()), best


def one_point(package):
    """(3·2 + 1 − 5)² = 4: it is 2 too high."""
    loss, saved = run(package, "line", *map(np.array, ([2.0], 3.0, 1.0, [5.0])))
    d_x, grads = back(package, "line", 1.0, saved)
    yield "y", loss, 4
    yield "d_x", d_x, [12]
    yield "d_weight", grads["weight"], 8
    yield "d_bias", grads["bias"], 4


def on_the_line(package):
    """There is nothing to learn."""
    x = Numbers(1).normal(5)
    loss, saved = run(package, "line", x, np.array(2.0), np.array(0.0), 2.0 * x)
    yield "y", loss, 0
    yield "d_bias", back(package, "line", 1.0, saved)[1]["bias"], 0
