"""A backward pass that is listened to: what each line gives a name, what is returned, and
where it stops."""

import ast
import linecache
import re
import traceback
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npgpt.checking.case import backward_of, is_array, named_grads
from npgpt.checking.implementations import Stopped
from npgpt.checking.recorder import Recorder, copied
from npgpt.checking.trace import flat, names_of_models


@dataclass(frozen=True)
class Value:
    """What a statement gives a name, or a part of it such as "grads.bias"."""

    step: str
    words: str
    name: str
    array: np.ndarray
    line: int


@dataclass
class Pass:
    """values: in order; returned: the results by name, at a line; forward: name -> array, of
    the forward pass; start: the function's first line; stopped: the error, at a line, and the
    names' values there."""

    values: list
    returned: dict
    forward: dict
    file: Any = None
    start: int = 0
    line: int = 0
    stopped: BaseException | None = None
    stop_line: int = 0
    there: dict = field(default_factory=dict)
    written_to: str = ""                # the upstream gradient, where it has been changed


def listened(implementation, case):
    """-> the Pass of a case."""
    recorder = Recorder(implementation.packages, names_of_models(implementation), is_saved)
    backward, found = backward_of(case.component), Pass([], {}, {})
    own = implementation.native(case)
    try:
        recorder.run(lambda: implementation.results(own))
    except Stopped as error:
        found.stopped = error.__cause__
    calls = [call for call in recorder.calls if call.path == backward]
    if calls:
        found.file, found.start = calls[0].file, calls[0].code.co_firstlineno
        if found.stopped is not None:
            found.stop_line, found.there = place_of(found.stopped, calls[0].code)
    if not np.array_equal(own.d_y, implementation.native(case).d_y):
        found.written_to = calls[0].code.co_varnames[0] if calls else ""
    for event in recorder.events:
        if event.call.path == backward:
            take(found, case, event)
        elif " > " not in event.call.path and event.kind == "assigned":
            found.forward.update({event.name + part: np.asarray(number, float)
                                  for part, number in flat(event.value)})
    return found


def take(found, case, event):
    """Add an event of the backward pass."""
    stopped = found.file.statements.get(found.stop_line)
    if event.kind == "assigned" and (stopped is None or stopped.line != event.line):
        found.values += [Value(event.step, event.words, event.name + part, np.asarray(number),
                               event.line) for part, number in flat(event.value)]
    if event.kind == "returned" and found.stopped is None:
        found.line = event.line
        results = named_grads(case, () if event.value is None else event.value)
        found.returned = {name + part: np.asarray(number) for name, value in results.items()
                          for part, number in flat(value)}


def is_saved(kind, name):
    return name.startswith("saved")


def place_of(error, code):
    """-> the line of the function at which an error was raised, and the names there."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code is code:
            return line, dict(frame.f_locals)
    return 0, {}


def handed_to_backward(implementation, case):
    """The arguments of the backward pass."""
    caught = []

    def find(name):
        function = implementation.find(name)

        def catching(*given):
            caught.append(copied(given))
            return function(*given)

        return catching if name == backward_of(case.component) else function

    case.call(find, implementation.native(case))
    return caught[0]


def statement_at(file, line):
    """The lines of the statement that a line of a file belongs to; of a loop, its head."""
    lines = linecache.getlines(str(file))
    found = [node for node in ast.walk(ast.parse("".join(lines))) if isinstance(node, ast.stmt)
             and node.lineno <= line <= node.end_lineno]
    node = min(found, key=lambda each: each.end_lineno - each.lineno)
    end = node.body[0].lineno - 1 if hasattr(node, "body") else node.end_lineno
    return [each.rstrip() for each in lines[node.lineno - 1:end]]


def values_at(file, theirs):
    """-> the arrays in the line that stops, "x (3, 5, 6), weight (6, 4)", and the names that
    are None there."""
    text = "\n".join(statement_at(file, theirs.stop_line))
    names = [name for name in dict.fromkeys(re.findall(r"\b[A-Za-z_]\w*\b", text))
             if name in theirs.there]
    return (", ".join(f"{name} {tuple(theirs.there[name].shape)}" for name in names
                      if is_array(theirs.there[name])),
            [name for name in names if theirs.there[name] is None])
