import numpy as np

from npgpt.checking.case import FunctionCase, with_values
from npgpt.checking.edges import call


def pca(draw):
    """Rows with a spread of their own in each direction: where two are equal, any
    direction between them is as good."""
    M, I = draw("M", range(5, 12)), draw("I", range(2, 5))
    count = draw("O", [None, 1, 2])
    numbers = draw.numbers()
    left, _ = np.linalg.qr(numbers.normal(M, I) - numbers.normal(I))
    left = np.linalg.qr(left - left.mean(axis=0))[0]
    right, _ = np.linalg.qr(numbers.normal(I, I))
    x = (left * 3.0 ** -np.arange(I)) @ right * np.sqrt(M) + numbers.normal(I)
    return FunctionCase(
        component="pca", options={"x": x, **({"count": count} if count else {})},
        call=call_pca, expected=pca_by_singular_values, scale=pca_scale, discrete=True,
        laws=(a_shift_changes_nothing, points_are_not_correlated),
        edges=(points_on_a_line,))


def call_pca(find, case):
    points, directions, ratios = find("pca")(**case.options)
    return {"points": points, "directions": directions, "ratios": ratios}


def pca_by_singular_values(case):
    """The right singular vectors of the centred rows; no covariance is formed."""
    x, count = case.options["x"], case.options.get("count", 2)
    centred = x - x.mean(axis=0)
    _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    directions = rows[:count].T
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(directions.shape[1])])
    return {"points": centred @ directions, "directions": directions,
            "ratios": (sizes ** 2 / (sizes ** 2).sum())[:count]}


def pca_scale(case):
    """A direction is off by the covariance's error over the gap to the next variance."""
    x = case.options["x"]
    size = np.abs(x).max()
    variances = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2 / len(x)
    gap = np.abs(np.diff(variances)).min()
    lost = x.shape[1] * size * size / gap
    return {"points": size * lost, "directions": lost, "ratios": lost}


def a_shift_changes_nothing(case, compute):
    before, after = compute(case), compute(with_values(case, x=case.options["x"] + 1.0))
    for name in before:
        yield name, after[name], before[name]


def points_are_not_correlated(case, compute):
    points = compute(case)["points"]
    if points.shape[1] == 2:
        yield "points", points[:, 0] @ points[:, 1] / len(points), np.zeros(())


def points_on_a_line(package):
    """One direction holds it all."""
    x = np.outer(np.arange(4.0), [3.0, 4.0])
    points, directions, ratios = call(package, "pca", x, 1)
    yield "ratios", ratios, [1], 1e-12
    yield "directions", directions, [[0.6], [0.8]], 1e-12
    yield "points", points, 5 * (np.arange(4.0)[:, None] - 1.5), 1e-12
