import math

import numpy as np

from npgpt.checking.case import FunctionCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import call


def cosine_similarity(draw):
    M, V, C = draw("M", range(1, 4)), draw("V", range(1, 4)), draw("C", range(1, 5))
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    std = 1e4 if regime == "stress" else 1.0
    return FunctionCase(
        component="cosine_similarity",
        options={"x": numbers.normal(M, C, std=std), "y": numbers.normal(V, C)},
        call=lambda find, case: {"cosine": find("cosine_similarity")(**case.options)},
        expected=by_the_law_of_cosines, scale=lambda case: {"cosine": 4.0},
        laws=(length_does_not_count, the_other_way_round),
        edges=(the_same_the_opposite_and_neither, a_row_of_zeros))


def by_the_law_of_cosines(case):
    """From the three sides of a triangle, two of which are 1."""
    def one(row):
        return [value / math.hypot(*row) for value in row]

    return {"cosine": np.array([[1 - math.dist(one(a), one(b)) ** 2 / 2
                                 for b in case.options["y"]] for a in case.options["x"]])}


def length_does_not_count(case, compute):
    longer = compute(with_values(case, x=8 * case.options["x"]))
    yield "cosine", longer["cosine"], compute(case)["cosine"]


def the_other_way_round(case, compute):
    other = compute(with_values(case, x=case.options["y"], y=case.options["x"]))
    yield "cosine", other["cosine"].T, compute(case)["cosine"]


def the_same_the_opposite_and_neither(package):
    x, y = np.array([[3.0, 4.0]]), np.array([[6.0, 8.0], [-3.0, -4.0], [4.0, -3.0]])
    yield "cosines", call(package, "cosine_similarity", x, y), [[1, -1, 0]], 1e-15


def a_row_of_zeros(package):
    """It has no direction."""
    zeros = np.zeros((1, 2))
    yield "cosine", call(package, "cosine_similarity", zeros, np.array([[1.0, 2]])), [[0]]
    yield "cosine", call(package, "cosine_similarity", np.array([[1.0, 2]]), zeros), [[0]]
