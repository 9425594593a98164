"""Exercises in functions that have no backward pass: which functions, and their arguments in
an example."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from npgpt.checking.components import make_case
from npgpt.checking.draw import Draw
from npgpt.finetuning import advantages, centred_rewards, rows


@dataclass(frozen=True)
class Exercise:
    """functions: to be written, all of one file; example(draw) -> the arguments of each."""

    functions: tuple
    example: Callable

    @property
    def module(self) -> ModuleType:
        return sys.modules[self.functions[0].__module__]


@dataclass
class Example:
    """The arguments, {function's name: {name: value}}, and the choices that lead to them."""

    given: dict
    chosen: dict = field(default_factory=dict)


def example_of(exercise: Exercise, draw: Draw) -> Example:
    return Example(exercise.example(draw), dict(draw.chosen))


def groups(draw: Draw) -> dict[str, dict[str, Any]]:
    """Rewards; now and then all equal, or apart by much."""
    options = dict(make_case("advantages", draw).options)
    if draw("equal", [False, True]):
        options["rewards"] = np.full_like(options["rewards"], 0.5)
    return {"advantages": options, "centred_rewards": {"rewards": options["rewards"]}}


def conversations(draw: Draw) -> dict[str, dict[str, Any]]:
    """Conversations of several lengths, an answer at the end of each; no padding's id in them."""
    count, room = draw("B", range(1, 8)), draw("room", [12, 15, 19])
    numbers = draw.numbers()
    lengths = [int(length) for length in 4 + numbers.below(4, count)]
    ids = [1 + numbers.below(50, length) for length in lengths]
    learnt = [np.arange(length) >= 2 + numbers.below(length - 2, 1) for length in lengths]
    examples = [rows.example(*pair) for pair in zip(ids, learnt)]
    filled = rows.fill_rows([length - 1 for length in lengths], room)
    return {"example": {"ids": ids[0], "learnt": learnt[0]}, "padded": {"examples": examples},
            "packed": {"rows": [[examples[number] for number in row] for row in filled], "T": room}}


FUNCTIONS = {
    "advantages": Exercise((advantages, centred_rewards), groups),
    "rows": Exercise((rows.example, rows.padded, rows.packed), conversations),
}
