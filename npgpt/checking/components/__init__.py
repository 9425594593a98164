"""The components that are checked: each file here is one.

NAME.py draws a case of the component NAME in its function of that name; a
model's file has `forward`, as the model has, and is the component
NAME.forward. To add one, add a file: see CONTRIBUTING.md."""

import importlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from npgpt.checking import case
from npgpt.checking.draw import seeded_draw
from npgpt.errors import InputError

ALIASES = {"gpt": "gpt2.forward"}       # names that people try


def found():
    """{component: draw -> its case}, from the files."""
    cases = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = importlib.import_module(f"{__name__}.{path.stem}")
        is_model = hasattr(module, "forward")
        name = f"{path.stem}.forward" if is_model else path.stem
        cases[name] = module.forward if is_model else getattr(module, path.stem)
    return cases


CASES = found()


def make_case(component, draw):
    """A case of a component, with the choices that lead to it."""
    component = ALIASES.get(component, component)
    if component not in CASES:
        raise InputError(f"there is no component {component!r}: give one of {', '.join(CASES)}")
    made = CASES[component](draw)
    return replace(made, chosen=dict(draw.chosen))


@cache
def functions_of(component):
    """The names of the functions that a component's cases check."""
    return case.functions_of(make_case(component, seeded_draw(0)))


def all_functions():
    return [name for component in CASES for name in functions_of(component)]
