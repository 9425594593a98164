import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.checking.laws import linear_in_the_upstream_gradient
from npgpt.errors import InputError


def embedding(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 6))
    V, C = draw("V", range(1, 6)), draw("C", range(1, 6))
    regime, frozen = draw("regime", REGIMES), draw("frozen", [False, True])
    numbers = draw.numbers()
    ids = numbers.below(V, B, T)
    if regime == "stress":          # one token, again and again
        ids[:] = ids[0, 0]
    return PairCase(
        component="embedding", params={"weight": numbers.normal(V, C)}, options={"ids": ids},
        frozen=("",) if frozen else (),
        d_y=numbers.normal(B, T, C), scale=embedding_scale,
        laws=(linear_in_the_upstream_gradient, rows_are_the_tables),
        edges=(a_repeated_id, an_id_beyond_the_table, an_id_below_0, no_ids))


def embedding_scale(case):
    sums = np.zeros_like(case.params["weight"])
    np.add.at(sums, case.options["ids"], np.abs(case.d_y))
    return {"y": case.params["weight"], "d_weight": sums}


def rows_are_the_tables(case, compute):
    y, weight = compute(case)["y"], case.params["weight"]
    for place in np.ndindex(case.options["ids"].shape):
        yield "y", y[place], weight[case.options["ids"][place]]


def a_repeated_id(package):
    """It gets both gradients."""
    _, saved = run(package, "embedding", np.array([1, 1, 0]), Numbers(1).normal(3, 2))
    grads = back(package, "embedding", np.array([[1.0, 2], [10, 20], [5, 5]]), saved)
    yield "d_weight", grads["weight"], [[5, 5], [11, 22], [0, 0]]


def an_id_beyond_the_table(package):
    weight = Numbers(2).normal(3, 2)
    raised = stops((IndexError, InputError), run, package, "embedding", np.array([3]), weight)
    yield "whether it raises an IndexError", raised, True


def an_id_below_0(package):
    """It is no id from the table's end."""
    if is_ours(package):
        for ids in np.array([[0, -1]]), np.array(-3), np.array([2, 1, 4]):
            refused = stops(InputError, run, package, "embedding", ids, Numbers(4).normal(4, 3))
            yield f"whether {ids.tolist()} is refused", refused, True


def no_ids(package):
    y, saved = run(package, "embedding", np.zeros((0, 2), int), Numbers(3).normal(3, 2))
    grads = back(package, "embedding", np.zeros((0, 2, 2)), saved)
    yield "the shape of y", y.shape, (0, 2, 2)
    yield "d_weight", grads["weight"], np.zeros((3, 2))
