"""The case that a command line asks for, by component, seed and choices."""

import re

from npgpt.checking.case import at
from npgpt.checking.components import make_case
from npgpt.checking.draw import seeded_draw, telling_draw
from npgpt.errors import InputError

# a model small enough to read, and large enough to show every tensor
MODEL = {"B": 2, "T": 4, "H": 2, "D": 4, "layers": 2, "V": 7, "tied": True, "spare": 1,
         "dropout": True, "mask": "none"}


def asked_for(layer, seed, line):
    """The case of a component, or without one of the whole model, drawn from a seed and
    from the choices that `--at` gives as text. InputError for choices that it lacks."""
    asked = choices(line, layer)
    draw = telling_draw if line is None and layer else seeded_draw
    case = make_case(layer or "gpt", draw(seed, asked))
    frozen = case.chosen.get("frozen")
    if frozen and "frozen" not in asked:  # unasked, every gradient is shown
        nothing = {"frozen": type(frozen)()}
        case = make_case(layer or "gpt", draw(seed, {**asked, **nothing}))
    unknown = sorted(set(asked) - set(case.chosen))
    if line is not None and unknown:
        raise InputError(f"--at gives {', '.join(unknown)}, which {case.component} does not"
                         f" choose; this case is {at(case)}")
    return case


def choices(line, layer):
    """"B=2 T=1 axes=(1, 2)" -> {"B": "2", ...}."""
    if line is None:
        return {} if layer else MODEL
    if not re.fullmatch(r"\w+=\S.*", line.strip()):
        raise InputError(f"--at is {line!r}: give choices such as B=2 T=3, as a failed test"
                         " printed them")
    return dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", line))
