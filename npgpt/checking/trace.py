"""Where two implementations part: the first value that differs, step by
step, forward and then backward."""

import inspect
import re
from dataclasses import dataclass, field

import numpy as np

from npgpt import blocks, foundations, layers, models
from npgpt.checking.budgets import COMPOSITE, UNIT, measured
from npgpt.checking.case import is_pair, mapped
from npgpt.checking.comparison import Comparison, error_between, ratio
from npgpt.checking.components import all_functions
from npgpt.checking.guess import alike, guess
from npgpt.checking.implementations import OURS
from npgpt.checking.layouts import constant_over_the_first_axis, laid_out
from npgpt.checking.recorder import Recorder


@dataclass(frozen=True)
class Key:
    """Which value of a computation. calls: "gpt2.forward > block[1] > linear",
    the last being the function; slot: the step as far as it tells two values
    apart."""

    calls: str
    slot: str
    name: str
    turn: int = 0
    step: str = field(default="", compare=False)
    words: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def is_border(self):
        """True for what a function is handed or returns."""
        return "(" in self.name or self.name.startswith("returns")

    @property
    def function(self):
        return function_at(self.calls)


def function_at(calls):
    return re.sub(r"\[\d+\]$", "", calls.split(" > ")[-1])


@dataclass(frozen=True)
class Difference:
    """Of two implementations, the first value that differs beyond its budget."""

    key: Key
    error: float
    budget: float
    index: tuple
    guess: str

    def __str__(self):
        way = "backward" if re.search(r"[._]backward", self.key.calls) else "forward"
        step = "before its first step"
        if self.key.step:
            step = f"step ({self.key.step}) {self.key.words}"
        size = (f"in type: it is {self.guess}" if "promoted" in self.guess else
                "in shape or in what is finite" if not np.isfinite(self.error) else
                f"by {self.error:.2g}, where both must be equal" if self.budget == 0 else
                f"by {self.error:.2g}, {ratio(self.error, self.budget):.2g} times its budget"
                f" of {self.budget:.1g}, most at {list(self.index)}")
        name = self.key.name.replace("returns.", "result ")
        return (f"{way}, {self.key.function}, {step}: {name} differs {size}\n"
                f"  inside {self.key.calls}\n  it looks {self.guess}")


def record(implementation, case, dtype="float64", layout=None, leave=None):
    """-> {Key: value}, every step's values while the implementation computes;
    `leave` says what is kept of a value, if not the numbers."""
    recorder = Recorder(implementation.packages, names_of_models(implementation), not_numbers)
    own = implementation.native(case, dtype)
    if layout:
        own = laid_out(own, layout, implementation)
    recorder.run(lambda: implementation.results(own))
    return by_key(recorder.events, leave or implementation.leave)


def names_of_models(implementation):
    """code -> gpt2.forward: a model's functions are called by their path."""
    found = {name: implementation.find(name) for name in all_functions() if "." in name}
    return {inspect.unwrap(function).__code__: name
            for name, function in found.items() if function}


def not_numbers(kind, name):
    """What a step is handed besides the numbers that it works on."""
    given = ("saved", "params", "config", "trainable")
    return name.startswith(given if kind == "given" else "saved")


def by_key(events, leave):
    values = {}
    for event in events:
        if event.kind == "part":
            continue
        value, slot = event.value, event.step
        if event.kind == "returned":
            slot = ""       # a result is the same result whichever label stands last
            if isinstance(value, tuple) and len(value) == 2 and (
                    isinstance(value[1], tuple) or has_backward(function_at(event.call.path))):
                value = value[0]
        for part, number in flat(value):
            key = Key(event.call.path, slot, event.name + part, event.turn,
                      event.step, event.words, event.line)
            values.pop(key, None)      # the last value of a step counts
            values[key] = leave(number)
    return values


def has_backward(function):
    """True for a pair's forward pass, which returns (output, saved)."""
    return function.endswith(".forward") or any(
        hasattr(room, f"{function}_backward") for room in (foundations, layers, blocks, models))


def flat(value, name=""):
    """The numbers in a value: arrays, and those in dicts, lists, tuples."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value)
    else:
        if isinstance(value, str) or value is None:
            return
        if isinstance(value, (int, float)) or hasattr(value, "dtype"):
            yield name, value
        return
    for key, part in parts:
        if not str(key).startswith("saved"):
            yield from flat(part, f"{name}.{key}")


def first_difference(case, suspect, trusted, layout=None):
    """-> the first Difference of two implementations over a case, or None.
    layout: of the suspect's arrays (see layouts.py)."""
    found, wrong, right = steps_compared(case, suspect, trusted, layout)
    for each in found:
        if not each.agree:
            key = each.result
            looks = "passed on by only one of them"
            if key in wrong and key in right:
                looks = guess(wrong[key], right[key], sizes_of(case))
            return Difference(key, each.error, each.budget, each.index, looks)
    return None


def sizes_of(case):
    """The sizes among a case's choices, by the letter that names them."""
    return {name: value for name, value in case.chosen.items()
            if len(name) == 1 and name.isupper() and type(value) is int}


def steps_compared(case, suspect, trusted, layout=None, always=False):
    """-> a Comparison of each value that both have, up to the first that one
    alone hands on; the values of either by Key. Budgets are measured where
    anything differs, or always."""
    if layout == "broadcast":
        case = mapped(case, constant_over_the_first_axis)
    wrong, right = record(suspect, case, layout=layout), record(trusted, case)
    common = [key for key in right if key in wrong or not_handed_on(key, wrong, right)]
    # a step's label and a variable's name say what it is; elsewhere by chance
    if not {*suspect.packages, *trusted.packages} <= OURS:
        common = [key for key in common if key.is_border or wrong[key].shape == right[key].shape]
        if all(key in wrong and alike(wrong[key], right[key])
               for key in common if key.is_border):
            return [], wrong, right
    extra = next((key for key in wrong if not_handed_on(key, right, wrong)), None)
    if extra is not None:
        before = list(wrong)[:list(wrong).index(extra)]
        common = [key for key in common if key in before]
    errors = {key: error_between(wrong[key], right[key]) if key in wrong else (np.inf, ())
              for key in common}
    sizes = dict.fromkeys(common, 0.0)
    if always or any(error for error, _ in errors.values()):
        sizes = measured(case, trusted, lambda nudged: record(trusted, nudged),
                         {key: right[key] for key in common})
    names = (suspect.name, trusted.name)
    found = [Comparison("step", key, names, error, COMPOSITE * UNIT["float64"] * sizes[key], index)
             for key, (error, index) in errors.items()]
    if extra is not None:
        found.append(Comparison("step", extra, names, np.inf, 0.0))
    return found, wrong, right


def not_handed_on(key, wrong, right):
    """True for an argument that one side gives and the other leaves out of
    the same call."""
    call, _, argument = key.name.partition("(")
    if not argument or key in wrong:
        return False
    return any(other.calls == key.calls and other.name.startswith(f"{call}(") and other in right
               for other in wrong)


def first_other_dtype(case, implementation, dtype):
    """-> the first step whose value is of another float type."""
    kinds = record(implementation, case, dtype,
                   leave=lambda value: str(getattr(value, "dtype", "")))
    wanted = None if is_pair(case) else case.result_dtype
    for key, kind in kinds.items():
        kind = kind.removeprefix("torch.")
        if "float" in kind and kind != (wanted or dtype):
            return Difference(key, np.inf, 0.0, (), f"promoted: {kind}, not {dtype}")
    return None
