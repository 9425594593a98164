import numpy as np

from npgpt.checking.case import FunctionCase


def fit_logistic(draw):
    M, I = draw("M", range(1, 8)), draw("I", range(1, 5))
    steps, rate = draw("steps", [0, 1, 4]), draw("rate", [None, 0.1])
    numbers = draw.numbers()
    options = {"x": numbers.normal(M, I), "labels": numbers.below(2, M).astype(np.float64),
               "decay": draw("decay", [0.0, 0.3]), "steps": steps}
    return FunctionCase(
        component="fit_logistic", options={**options, **({"rate": rate} if rate else {})},
        call=call_fit_logistic, expected=fit_logistic_by_words, scale=fit_logistic_scale,
        laws=(no_step_is_uphill,))


def call_fit_logistic(find, case):
    weight, bias, losses = find("fit_logistic")(**case.options)
    return {"weight": weight, "bias": bias, "losses": np.array(losses)}


def fit_logistic_by_words(case):
    """Weight by weight: each goes against its own mean of (p − y) · x, and shrinks."""
    x, labels, decay = (case.options[name] for name in ("x", "labels", "decay"))
    rate, (M, I) = case.options.get("rate", 1.0), x.shape
    weight, bias, losses = [0.0] * I, 0.0, []
    for _ in range(case.options["steps"]):
        scores = [sum(x[n, i] * weight[i] for i in range(I)) + bias for n in range(M)]
        surplus = [(1 + np.tanh(z / 2)) / 2 - y for z, y in zip(scores, labels)]
        losses.append(np.mean([np.logaddexp(0, z) - z * y for z, y in zip(scores, labels)])
                      + decay / 2 * sum(w * w for w in weight))
        weight = [weight[i] - rate * (np.dot(surplus, x[:, i]) / M + decay * weight[i])
                  for i in range(I)]
        bias = bias - rate * sum(surplus) / M
    return {"weight": np.array(weight), "bias": np.array(bias), "losses": np.array(losses)}


def fit_logistic_scale(case):
    """A step hands on what rounding there is, times its own slope at most."""
    x, steps = np.abs(case.options["x"]), case.options["steps"]
    rate, rows = case.options.get("rate", 1.0), 1 + np.abs(x).sum(axis=1).max()
    growth = (1 + rate * (rows * rows / 4 + case.options["decay"])) ** steps
    return {"weight": growth, "bias": growth, "losses": growth * rows}


def no_step_is_uphill(case, compute):
    """With a rate below 2 / (the largest slope of the slope) the loss falls or stays."""
    if case.options.get("rate") == 0.1 and np.abs(case.options["x"]).max() < 2:
        losses = compute(case)["losses"]
        yield "losses", np.maximum.accumulate(losses[::-1])[::-1], losses
