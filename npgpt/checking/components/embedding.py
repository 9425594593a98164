import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import linear_in_the_upstream_gradient


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
        laws=(linear_in_the_upstream_gradient, rows_are_the_tables))


def embedding_scale(case):
    sums = np.zeros_like(case.params["weight"])
    np.add.at(sums, case.options["ids"], np.abs(case.d_y))
    return {"y": case.params["weight"], "d_weight": sums}


def rows_are_the_tables(case, compute):
    y, weight = compute(case)["y"], case.params["weight"]
    for place in np.ndindex(case.options["ids"].shape):
        yield "y", y[place], weight[case.options["ids"][place]]
