"""Exercises: a component's file without its backward pass, and what is wrong with the one
that a reader writes."""

import ast
import linecache
import re
import sys
import textwrap
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npgpt.checking.blame import locate
from npgpt.checking.case import at, backward_of
from npgpt.checking.components import CASES, make_case
from npgpt.checking.draw import middle_draw, seeded_draw
from npgpt.checking.implementations import Stopped, lookup, numpy_implementation, where_in
from npgpt.checking.lesson import lesson
from npgpt.checking.verdict import check_edges, verdict
from npgpt.errors import InputError

LABEL = re.compile(r"\s*# \(\d+(?:, \d+)*\) ")
EXAMPLES = 30


def exercises() -> list[str]:
    """The components that have a hand-written backward pass."""
    find = lookup("npgpt")
    return [name for name in CASES if find(backward_of(name))]


def summary(name: str, width: int) -> str:
    """What the component is, in at most `width` characters: the first sentence of its file,
    without the name before the colon."""
    module = sys.modules[lookup("npgpt")(name).__module__]
    sentence = re.split(r"[.;](?: |$)| \(", " ".join((module.__doc__ or "").split()))[0]
    return textwrap.shorten(sentence.split(": ", 1)[-1], width, placeholder=" …")


def pair(name: str) -> tuple[str, str]:
    """What the component's two functions are called in its file."""
    find = lookup("npgpt")
    return find(name).__name__, find(backward_of(name)).__name__


def without_backward(name: str) -> str:
    """The component's file; of its backward pass, only the labels and the gradients to
    find are left."""
    module = sys.modules[lookup("npgpt")(name).__module__]
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    function = next(node for node in ast.parse(source).body
                    if isinstance(node, ast.FunctionDef) and node.name == pair(name)[1])
    lines, rest = source.splitlines(), []
    after_docstring, end = last_line(function.body[0]), last_line(function)
    labels = [i for i in range(after_docstring, end) if LABEL.match(lines[i])]
    for i in range(after_docstring, end):
        if not labels or i < labels[0]:
            rest.append(lines[i])
        elif i in labels:
            rest += [lines[i], *hints(lines, i, function.body[1:])]
            if open_loop(lines, labels, i):
                rest.append(indent_of(lines[i]) + "pass")
    returned = function.body[-1]
    rest += [f"    # {line.strip()}" for line in lines[returned.lineno - 1 : last_line(returned)]]
    rest.append("    raise NotImplementedError")
    return "\n".join(lines[:after_docstring] + rest + lines[end:]).rstrip() + "\n"


def open_loop(lines: list[str], labels: list[int], label: int) -> bool:
    """Whether this label is the last in a loop of which only the head is left."""
    code = [line for line in lines[: labels[0]] if line.partition("#")[0].strip()]
    later = [lines[i] for i in labels if i > label]
    inside = len(indent_of(lines[labels[0]]))
    return (code[-1].partition("#")[0].rstrip().endswith(":")
            and len(indent_of(lines[label])) >= inside
            and all(len(indent_of(line)) < inside for line in later))


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def hints(lines: list[str], label: int, body: list[ast.stmt]) -> list[str]:
    """The gradients that a step has to find, as comments, with their shapes where the
    source gives them."""
    end = next((i for i in range(label + 1, len(lines)) if LABEL.match(lines[i])), len(lines))
    found: dict[str, str] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign | ast.AugAssign) and label < node.lineno - 1 < end:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = ", ".join(n.id for target in targets for n in ast.walk(target)
                                  if isinstance(n, ast.Name) and n.id.startswith("d_"))
                shape = re.search(r"# (\(.*)$", lines[last_line(node) - 1])
                if names and (shape or names not in found):
                    found[names] = f"  {shape[1]}" if shape else ""
    indent = indent_of(lines[label])
    return [f"{indent}#     find {names}{shape}" for names, shape in found.items()]


def trouble_in(name: str, file: Path) -> str | None:
    """What is wrong with the pair in the reader's file, or None. InputError where there
    is no such file."""
    try:
        module = load(file)
        lacking = [each for each in pair(name) if not hasattr(module, each)]
        return f"there is no {lacking[0]} in it" if lacking else what_is_wrong(name, module, file)
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
    for seed in range(EXAMPLES):
        # those for people first, then the odd ones
        draw = middle_draw if seed < max(1, EXAMPLES // 5) else seeded_draw
        case = make_case(name, draw(seed))
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


def told(case: Any, ours: Any, yours: Any, file: Path) -> str | None:
    """What the tutor says, or None where each step is right."""
    text = lesson(case, ours, yours, file)
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
