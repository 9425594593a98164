import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def logistic(draw):
    M, I = draw("M", range(1, 8)), draw("I", range(1, 5))
    regime, decay = draw("regime", REGIMES), draw("decay", [None, 0.1, 2.0])
    numbers = draw.numbers()
    x = numbers.normal(M, I, std=1000.0 if regime == "stress" else 1.0)
    params = {"weight": numbers.normal(I), "bias": numbers.normal()}
    options = {"labels": numbers.below(2, M).astype(np.float64)}
    return PairCase(
        component="logistic", inputs={"x": x}, params=params,
        options={**options, **({"decay": decay} if decay else {})},
        d_y=numbers.normal(), scale=logistic_scale,
        laws=(linear_in_the_upstream_gradient, names_of_the_classes_do_not_matter,
              nothing_to_gain_at_the_optimum),
        edges=(far_scores, an_even_guess, the_bias_is_free, nan_stays_in_its_row))


def logistic_scale(case):
    """σ has a slope of 1/4 at most, so an error of the score counts that much."""
    x, labels = np.abs(case.inputs["x"]), case.options["labels"]
    weight, bias = (np.abs(case.params[name]) for name in ("weight", "bias"))
    decay = case.options.get("decay", 0.0)
    z = x @ weight + bias
    d_z = np.abs(case.d_y) / len(z) * (1 + labels + z / 4)
    return {"y": (z * (1 + labels) + 1).mean() + decay / 2 * (weight * weight).sum(),
            "d_x": d_z[:, None] * weight, "d_bias": d_z.sum(),
            "d_weight": d_z @ x + np.abs(case.d_y) * decay * weight}


def names_of_the_classes_do_not_matter(case, compute):
    """Call spam what was ham, reverse every weight: the same loss."""
    weight, bias = case.params["weight"], case.params["bias"]
    other = with_values(case, weight=-weight, bias=-bias, labels=1 - case.options["labels"])
    before, after = compute(case), compute(other)
    yield "y", after["y"], before["y"]
    yield "d_x", after["d_x"], before["d_x"]
    for name in "d_weight", "d_bias":
        yield name, -after[name], before[name]


def nothing_to_gain_at_the_optimum(case, compute):
    """Where Newton's steps end, Σ(p − y)·x/M + λ·w = 0, and Σ(p − y) = 0: the bias is
    free. It is looked for where there is one and the numbers are benign."""
    labels, decay = case.options["labels"], case.options.get("decay")
    if not decay or labels.min() == labels.max() or case.chosen.get("regime") == "stress":
        return
    weight, bias = newton(case.inputs["x"], labels, decay)
    best = with_values(case, weight=weight, bias=bias)
    found = compute(best)
    for name in "d_weight", "d_bias":
        yield name, found[name], np.zeros_like(best.params[name.removeprefix("d_")]), best


def newton(x, labels, decay, steps=30):
    """-> weight, bias at the optimum, by Newton's method with steps cut in two while the
    loss would rise."""
    rows = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    ridge = np.diag([decay] * x.shape[1] + [0.0])
    point = np.zeros(x.shape[1] + 1)

    def loss(point):
        z = rows @ point
        return np.mean(np.logaddexp(0, z) - z * labels) + point @ ridge @ point / 2

    for _ in range(steps):
        probs = (1 + np.tanh(rows @ point / 2)) / 2
        gradient = rows.T @ (probs - labels) / len(x) + ridge @ point
        curvature = (rows.T * (probs * (1 - probs))) @ rows / len(x) + ridge
        step = np.linalg.solve(curvature, gradient)
        while loss(point - step) > loss(point) + 1e-12:
            step = step / 2
        point = point - step
    return point[:-1], np.array(point[-1])


def far_scores(package):
    """They neither overflow nor lose the loss, nor the gradient."""
    x = np.array([[1e4], [1e4], [-1e4], [-1e4]])
    loss, saved = run(package, "logistic", x, np.ones(1), np.array(0.0),
                      np.array([1.0, 0.0, 0.0, 1.0]))
    yield "y", loss, 5000
    yield "d_x", back(package, "logistic", 4.0, saved)[0], [[0], [1], [0], [-1]]


def an_even_guess(package):
    """It costs the logarithm of 2."""
    loss, _ = run(package, "logistic", Numbers(1).normal(4, 3), np.zeros(3), np.array(0.0),
                  np.array([0.0, 1.0, 1.0, 0.0]))
    yield "y", loss, np.log(2), 1e-15


def the_bias_is_free(package):
    """It pays nothing for its size: where each label is its probability, decay alone is left."""
    weight, bias = np.array([3.0]), np.array(500.0)
    loss, saved = run(package, "logistic", np.zeros((2, 1)), weight, bias, np.ones(2), 0.5)
    grads = back(package, "logistic", 1.0, saved)[1]
    yield "y", loss, 0.25 * 9
    yield "d_weight", grads["weight"], [1.5]
    yield "d_bias", grads["bias"], 0


def nan_stays_in_its_row(package):
    x = Numbers(2).normal(3, 2)
    x[1, 0] = np.nan
    _, saved = run(package, "logistic", x, np.ones(2), np.array(0.0), np.zeros(3))
    d_x = back(package, "logistic", 1.0, saved)[0]
    yield "where d_x is NaN", np.isnan(d_x).all(axis=1), [False, True, False]
