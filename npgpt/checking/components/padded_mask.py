import numpy as np

from npgpt.checking.case import FunctionCase


def padded_mask(draw):
    B, S = draw("B", range(1, 4)), draw("S", range(1, 6))
    T = draw("T", range(1, 6))
    numbers = draw.numbers()
    pads = [int(pad) for pad in numbers.below(S, B)]
    return FunctionCase(
        component="padded_mask", functions=("padded_mask", "places_seen"),
        options={"pads": pads, "T": min(T, S), "S": S, "like": numbers.normal(2)},
        scale=lambda case: {"visible": 0.0, "places": 0.0}, call=call_padded_mask,
        expected=padding_by_definition)


def call_padded_mask(find, case):
    visible = find("padded_mask")(**case.options)
    return {"visible": visible, "places": find("places_seen")(visible)}


def padding_by_definition(case):
    """A query sees the real keys up to its own; its place counts from the
    first real token."""
    pads, T, S = (case.options[name] for name in ("pads", "T", "S"))
    queries = range(S - T, S)
    visible = [[[[float(pad <= key <= query) for key in range(S)] for query in queries]]
               for pad in pads]
    places = [[float(max(query - pad, 0)) for query in queries] for pad in pads]
    return {"visible": np.array(visible), "places": np.array(places)}
