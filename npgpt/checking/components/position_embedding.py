import numpy as np

from npgpt.checking.case import PairCase
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
        laws=(linear_in_the_upstream_gradient,), views=True)


def position_embedding_scale(case):
    return {"y": case.params["weight"], "d_weight": np.abs(case.d_y).sum(axis=(0, 1))}
