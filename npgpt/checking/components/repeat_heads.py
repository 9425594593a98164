import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.edges import back, run
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def repeat_heads(draw):
    """K = 1 or one copy of each cannot tell repeated heads from tiled ones."""
    B, K, group = draw("B", range(1, 4)), draw("K", range(1, 4)), draw("group", range(1, 4))
    T, D = draw("T", range(1, 5)), draw("D", range(1, 4))
    numbers = draw.numbers()
    return PairCase(
        component="repeat_heads", inputs={"x": numbers.normal(B, K, T, D)},
        options={"heads": K * group}, d_y=numbers.normal(B, K * group, T, D),
        scale=lambda case: {"y": case.inputs["x"], "d_x": summed(np.abs(case.d_y), K)},
        laws=(linear_in_the_upstream_gradient, batch_independent, repeated_by_hand),
        edges=(two_heads_for_four,))


def summed(d_y, K):
    """The sum over each head's copies."""
    group = d_y.shape[1] // K
    return np.stack([d_y[:, k * group:(k + 1) * group].sum(axis=1) for k in range(K)], axis=1)


def repeated_by_hand(case, compute):
    """Head h reads head h·K/H, rounded down; the copies' gradients add up."""
    x, found = case.inputs["x"], compute(case)
    H, K = case.options["heads"], x.shape[1]
    for h in range(H):
        yield "y", found["y"][:, h], x[:, h * K // H]
    yield "d_x", found["d_x"], summed(case.d_y, K)


def two_heads_for_four(package):
    x = np.array([1.0, 2.0]).reshape(1, 2, 1, 1)
    y, saved = run(package, "repeat_heads", x, 4)
    d_x = back(package, "repeat_heads", np.array([1.0, 2, 4, 8]).reshape(1, 4, 1, 1), saved)
    yield "y", y.ravel(), [1, 1, 2, 2]
    yield "d_x", d_x.ravel(), [3, 12]
