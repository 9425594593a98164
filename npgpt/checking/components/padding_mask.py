import numpy as np

from npgpt.checking.case import FunctionCase


def padding_mask(draw):
    B, S = draw("B", range(1, 4)), draw("S", range(1, 6))
    T = draw("T", range(1, 6))
    numbers = draw.numbers()
    pads = [int(pad) for pad in numbers.below(S, B)]
    return FunctionCase(
        component="padding_mask", functions=("padding_mask", "padded_positions"),
        options={"pads": pads, "T": min(T, S), "S": S, "like": numbers.normal(2)},
        scale=lambda case: {"mask": 0.0, "positions": 0.0}, call=call_padding_mask,
        expected=padding_by_definition)


def call_padding_mask(find, case):
    pads, T, S, like = (case.options[name] for name in ("pads", "T", "S", "like"))
    return {"mask": find("padding_mask")(pads, S, like),
            "positions": find("padded_positions")(pads, T, S, like)}


def padding_by_definition(case):
    """A key that is no padding may be attended to; a position counts from the
    first token that is none."""
    pads, T, S = (case.options[name] for name in ("pads", "T", "S"))
    queries = range(S - T, S)
    mask = [[[[float(pad <= key) for key in range(S)]]] for pad in pads]
    positions = [[float(max(query - pad, 0)) for query in queries] for pad in pads]
    return {"mask": np.array(mask), "positions": np.array(positions)}
