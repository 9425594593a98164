import numpy as np

from npgpt.checking.case import FunctionCase, with_values
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import call


def sigmoid(draw):
    M, I, regime = draw("M", range(1, 5)), draw("I", range(1, 5)), draw("regime", REGIMES)
    z = draw.numbers().normal(M, I, std=800.0 if regime == "stress" else 1.0)
    return FunctionCase(
        component="sigmoid", options={"z": z},
        call=lambda find, case: {"probs": find("sigmoid")(case.options["z"])},
        expected=lambda case: {"probs": (1 + np.tanh(case.options["z"] / 2)) / 2},
        scale=lambda case: {"probs": 1.0}, laws=(both_ways_add_up_to_1,), edges=(far_out,))


def both_ways_add_up_to_1(case, compute):
    z = case.options["z"]
    yield "probs", compute(case)["probs"] + compute(with_values(case, z=-z))["probs"], z * 0 + 1


def far_out(package):
    """No power overflows, and a small probability is not rounded to 0."""
    found = call(package, "sigmoid", np.array([-800.0, -40.0, 0.0, 800.0]))
    yield "probs", found, [0, np.exp(-40.0), 0.5, 1], 1e-16
    yield "the small one", found[1] / np.exp(-40.0), 1, 1e-14
