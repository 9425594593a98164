"""Exercises: a backward pass or a function to be written, and what is wrong with the one
that a reader writes."""

import linecache
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npgpt.checking.blame import locate
from npgpt.checking.case import at, backward_of
from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import Draw, middle_draw, seeded_draw
from npgpt.checking.forward_lesson import forward_lesson, lesson_of_call
from npgpt.checking.function_exercises import FUNCTIONS, example_of
from npgpt.checking.implementations import Stopped, lookup, numpy_implementation, where_in
from npgpt.checking.leaving_out import left_out
from npgpt.checking.lesson import lesson
from npgpt.checking.verdict import check_edges, verdict
from npgpt.errors import InputError

EXAMPLES = 30


def exercises() -> list[str]:
    """The components that have a hand-written backward pass, then those of FUNCTIONS."""
    find = lookup("npgpt")
    return [*(name for name in CASES if find(backward_of(name))), *FUNCTIONS]


def module_of(name: str) -> ModuleType:
    """The module that holds what is to be written."""
    if name in FUNCTIONS:
        return FUNCTIONS[name].module
    return sys.modules[lookup("npgpt")(name).__module__]


def summary(name: str, width: int) -> str:
    """What the component is, in at most `width` characters: the first sentence of its file,
    without the name before the colon."""
    doc = " ".join((module_of(name).__doc__ or "").split())
    sentence = re.split(r"[.;](?: |$)| \(", doc)[0]
    return textwrap.shorten(sentence.split(": ", 1)[-1], width, placeholder=" …")


def pair(name: str) -> tuple[str, str]:
    """What the component's two functions are called in its file."""
    find = lookup("npgpt")
    return find(name).__name__, find(backward_of(name)).__name__


def to_write(name: str) -> tuple[str, ...]:
    """What the functions to be written are called."""
    if name in FUNCTIONS:
        return tuple(each.__name__ for each in FUNCTIONS[name].functions)
    return pair(name)[1:]


def unwritten(name: str) -> str:
    """The file, without what is to be written."""
    source = Path(str(module_of(name).__file__)).read_text(encoding="utf-8")
    return left_out(source, to_write(name), "" if name in FUNCTIONS else "d_")


def trouble_in(name: str, file: Path) -> str | None:
    """What is wrong with the pair in the reader's file, or None. InputError where there
    is no such file."""
    try:
        module = load(file)
        needed = to_write(name) if name in FUNCTIONS else pair(name)
        lacking = [each for each in needed if not hasattr(module, each)]
        if lacking:
            return f"there is no {lacking[0]} in it"
        if name in FUNCTIONS:
            return wrong_function(name, module, file)
        return what_is_wrong(name, module, file)
    except Stopped as error:
        if isinstance(error.__cause__, NotImplementedError):
            return f"{pair(name)[1]} is not written yet"
        return str(error)


def load(file: Path) -> ModuleType:
    """Import the reader's file. InputError where there is none, Stopped where it fails."""
    if not file.is_file():
        raise InputError(f"there is no file {file}: write it with npgpt exercise NAME")
    linecache.checkcache(str(file.resolve()))
    name = "exercise_of_reader"
    loader = SourceFileLoader(name, str(file.resolve()))
    module = ModuleType(name)
    module.__file__ = loader.path
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise Stopped(f"{file} stops {where_in({name}, error)}with"
                      f" {type(error).__name__}: {error}") from error
    return module


def what_is_wrong(name: str, module: ModuleType, file: Path) -> str | None:
    """What is wrong with the reader's pair, or None."""
    ours = numpy_implementation()

    def find(function: str):
        known = ours.find(function)
        if "." in function and function.split(".")[0] != name.split(".")[0]:
            return known  # another model's forward or backward
        return getattr(module, known.__name__, None) or known

    # another form may add up in other number formats, so only the numbers count
    yours = replace(ours, name="yours", find=find, packages=(module.__name__, "npgpt"), few_bits=())
    for draw in draws():
        case = make_case(name, draw)
        try:
            other = shape_differs(case, ours, yours)
            findings = [] if other else verdict(case, [ours, yours], yours).findings
        except Stopped as error:
            text = told(case, ours, yours, file)
            if text is None and isinstance(error.__cause__, NotImplementedError):
                raise
            return text or f"{error}\n  on the example {at(case)}"
        if other or findings:
            text = told(case, ours, yours, file)
            other = other or explained(findings, [ours, yours])
            return text or f"{other}\n  on the example {at(case)}"
    try:
        findings = check_edges(case, yours)[1]
    except Stopped as error:
        return f"right on {EXAMPLES} examples, but not in an edge case: {error}"
    return f"right on {EXAMPLES} examples, but not in an {findings[0].what}" if findings else None


def draws() -> Iterator[Draw]:
    """The examples': those for people first, then the odd ones."""
    for seed in range(EXAMPLES):
        yield middle_draw(seed) if seed < max(1, EXAMPLES // 5) else seeded_draw(seed)


def wrong_function(name: str, module: ModuleType, file: Path) -> str | None:
    """What is wrong with the reader's functions that have no backward pass, or None."""
    for draw in draws():
        example = example_of(FUNCTIONS[name], draw)
        for function in FUNCTIONS[name].functions:
            text = lesson_of_call(example, function, getattr(module, function.__name__),
                                  example.given[function.__name__], file,
                                  (module.__name__, "npgpt"))
            if text:
                return f"not right yet\n\n{text}"
    return None


def told(case: Any, ours: Any, yours: Any, file: Path) -> str | None:
    """What the tutor says, or None where each step is right."""
    text = forward_lesson(case, ours, yours, file) or lesson(case, ours, yours, file)
    return text and f"not right yet\n\n{text}"


def shape_differs(case: Any, ours: Any, yours: Any) -> str | None:
    """A line on the first result that is missing, no array or of another shape, or None."""
    found, expected = yours.results(yours.native(case)), ours.compute(case)
    for result in found:
        if result not in expected:
            return f"{result} is returned, where nothing trains that it is the gradient of"
    for result, value in expected.items():
        if result not in found:
            return f"{result} is not returned"
        if not hasattr(found[result], "shape") and value.ndim:
            return f"{result} is no array"
        if np.shape(found[result]) != value.shape:
            return f"{result} has shape {found[result].shape}, expected {value.shape}"
    return None


def explained(findings: list, involved: list) -> str:
    """Where each step is right: what else is wrong."""
    difference = None if findings[0].layout else locate(findings, involved)
    return str(difference) if difference else str(findings[0].what)
