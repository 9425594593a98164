import numpy as np

from npgpt.checking.case import FunctionCase


def causal_mask(draw):
    T, S = draw("T", range(1, 6)), draw("S", range(1, 6))
    numbers = draw.numbers()
    return FunctionCase(
        component="causal_mask",
        options={"T": T, "S": S, "like": numbers.normal(2)}, scale=lambda case: {"mask": 0.0},
        call=lambda find, case: {"mask": find("causal_mask")(**case.options)},
        expected=mask_by_definition)


def mask_by_definition(case):
    T, S = case.options["T"], case.options["S"]
    rows = [[float(key - S <= query - T) for key in range(S)] for query in range(T)]
    return {"mask": np.array(rows)}
