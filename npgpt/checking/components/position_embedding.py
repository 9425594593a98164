import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def position_embedding(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    start, spare = draw("start", range(4)), draw("spare", range(3))
    C, given = draw("C", range(1, 6)), draw("given", [False, True])
    frozen = draw("frozen", [False, True])
    numbers = draw.numbers()
    options = {"ids": numbers.below(9, B, T)}
    if start and not given:
        options["start"] = start
    weight = numbers.normal(start + T + spare, C)
    if given:
        options["positions"] = numbers.below(len(weight), B, T)
    return PairCase(
        component="position_embedding", params={"weight": weight}, options=options,
        frozen=("",) if frozen else (),
        d_y=numbers.normal(B, T, C), scale=position_embedding_scale,
        laws=(linear_in_the_upstream_gradient,),
        edges=(the_whole_table, its_last_row), views=True)


def position_embedding_scale(case):
    return {"y": case.params["weight"], "d_weight": np.abs(case.d_y).sum(axis=(0, 1))}


def the_whole_table(package):
    weight = Numbers(1).normal(3, 2)
    y, _ = run(package, "position_embedding", np.zeros((2, 3), int), weight)
    yield "y", y, np.stack([weight, weight])


def its_last_row(package):
    weight = Numbers(2).normal(3, 2)
    y, saved = run(package, "position_embedding", np.zeros((2, 1), int), weight, start=2)
    grads = back(package, "position_embedding", np.ones((2, 1, 2)), saved)
    yield "y", y[0, 0], weight[2]
    yield "d_weight", grads["weight"], [[0, 0], [0, 0], [2, 2]]
