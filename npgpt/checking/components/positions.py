import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.laws import linear_in_the_upstream_gradient


def positions(draw):
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    start, spare = draw("start", range(4)), draw("spare", range(3))
    C = draw("C", range(1, 6))
    numbers = draw.numbers()
    options = {"ids": numbers.below(9, B, T)}
    if start:
        options["start"] = start
    weight = numbers.normal(start + T + spare, C)
    return PairCase(
        component="positions", params={"weight": weight}, options=options,
        d_y=numbers.normal(B, T, C), scale=positions_scale,
        laws=(linear_in_the_upstream_gradient,), views=True)


def positions_scale(case):
    return {"y": case.params["weight"], "d_weight": np.abs(case.d_y).sum(axis=0)}
