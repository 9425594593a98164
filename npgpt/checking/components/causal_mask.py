import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import call


def causal_mask(draw):
    T, S = draw("T", range(1, 6)), draw("S", range(1, 6))
    numbers = draw.numbers()
    return FunctionCase(
        component="causal_mask",
        options={"T": T, "S": S, "like": numbers.normal(2)}, scale=lambda case: {"mask": 0.0},
        call=lambda find, case: {"mask": find("causal_mask")(**case.options)},
        expected=mask_by_definition, edges=(flushed_bottom_right,))


def mask_by_definition(case):
    T, S = case.options["T"], case.options["S"]
    rows = [[float(key - S <= query - T) for key in range(S)] for query in range(T)]
    return {"mask": np.array(rows)}


def flushed_bottom_right(package):
    """The last query sees all keys, whatever T and S are."""
    like = Numbers(1).normal(2)
    for T, S in (1, 4), (2, 4), (4, 4), (4, 2):
        wanted = [[key - S <= query - T for key in range(S)] for query in range(T)]
        yield f"the mask of {T} and {S}", call(package, "causal_mask", T, S, like), wanted
