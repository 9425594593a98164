import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call

NAMES = ("weights", "biases", "losses")


def fit_line(draw):
    M, steps = draw("M", range(1, 8)), draw("steps", [None, 0, 1, 3])
    rate = draw("rate", [None, 0.05])
    numbers = draw.numbers()
    options = {"x": numbers.normal(M), "targets": numbers.normal(M),
               "weight": numbers.normal(), "bias": numbers.normal()}
    options |= {"rate": rate} if rate else {}
    options |= {} if steps is None else {"steps": steps}
    return FunctionCase(component="fit_line", options=options, call=call_fit_line,
                        expected=fit_line_by_matrix_powers, scale=fit_line_scale, views=True,
                        edges=(no_step,))


def call_fit_line(find, case):
    path = find("fit_line")(**case.options)
    return {f"{name}.{step}": value for step, found in enumerate(path)
            for name, value in zip(NAMES, found)}


def fit_line_by_matrix_powers(case):
    """The loss is a quadratic form, so each step is one affine map M p + c, and t of them
    are M^t p + (M^(t-1) + … + 1) c: no loop, no backward pass."""
    x, targets = case.options["x"], case.options["targets"]
    rate, steps = case.options.get("rate", 0.2), case.options.get("steps", 10)
    rows = np.stack([x, np.ones_like(x)], axis=1)
    step = np.eye(2) - 2 * rate / len(x) * rows.T @ rows
    shift = 2 * rate / len(x) * rows.T @ targets
    start, found = np.array([case.options["weight"], case.options["bias"]]), {}
    for t in range(steps + 1):
        powers = [np.linalg.matrix_power(step, k) for k in range(t)]
        point = np.linalg.matrix_power(step, t) @ start + sum(p @ shift for p in powers)
        loss = ((rows @ point - targets) ** 2).mean()
        found |= {f"{name}.{t}": np.array(value) for name, value in zip(NAMES, [*point, loss])}
    return found


def fit_line_scale(case):
    """A step multiplies what rounding there is by at most ‖M‖."""
    x, targets = np.abs(case.options["x"]), np.abs(case.options["targets"])
    rate, steps = case.options.get("rate", 0.2), case.options.get("steps", 10)
    rows, sizes = np.stack([x, np.ones_like(x)], axis=1), {}
    point = np.abs([case.options["weight"], case.options["bias"]])
    for t in range(steps + 1):
        error = (rows @ point + targets).max()
        sizes |= {f"weights.{t}": point.max(), f"biases.{t}": point.max(),
                  f"losses.{t}": error * error}
        point = point + 2 * rate * rows.T @ (rows @ point + targets) / len(x)
    return sizes


def no_step(package):
    """The path is the start alone."""
    x = np.array([1.0, 2.0])
    path = call(package, "fit_line", x, 3 * x, np.array(3.0), np.array(0.0), 0.1, 0)
    yield "the number of points", len(path), 1
    yield "the start", np.array(path[0]), [3, 0, 0]
