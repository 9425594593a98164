"""A backward pass, or one call of any function, that is listened to: what each line gives a
name, what is returned, and where it stops."""

import ast
import inspect
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
    the forward pass, or the arguments; sought: how the names begin that a step has to find;
    start: the function's first line; stopped: the error, at a line, and the names' values
    there."""

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
    sought: tuple = ("d_", "grads.")


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


def heard(function, given, packages):
    """-> the Pass of one call of a function. given: its arguments, {name: value}."""
    recorder = Recorder(packages, {}, is_saved)
    found = Pass([], {}, {}, sought=("",))
    try:
        recorder.run(lambda: function(**copied(given)))
    except (Exception, SystemExit) as error:
        found.stopped = error
    call = recorder.calls[0]
    found.file, found.start = call.file, call.code.co_firstlineno
    found.forward = {name: plain(value) for name, value in given.items()
                     if is_array(value) or isinstance(value, (int, float))}
    if found.stopped is not None:
        found.stop_line, found.there = place_of(found.stopped, call.code)
    for event in recorder.events:
        if event.call is call and event.kind == "assigned":
            take_value(found, event)
        elif event.call is call and event.kind == "returned" and found.stopped is None:
            found.line = event.line
            found.returned = returned(event.value)
    return found


def returned(result):
    """The results, {name: array}."""
    return {f"result{part}": plain(number) for part, number in flat(without_saved(result))}


def without_saved(result):
    """What a function returns; of a forward pass, without what it saves."""
    pair = isinstance(result, tuple) and len(result) == 2
    return result[0] if pair and isinstance(result[1], (tuple, dict)) else as_arrays(result)


def as_arrays(result):
    """With arrays for lists of numbers."""
    if isinstance(result, tuple):
        return tuple(as_arrays(part) for part in result)
    if isinstance(result, dict):
        return {key: as_arrays(part) for key, part in result.items()}
    return np.array(result) if isinstance(result, list) else result


def plain(number):
    """A number or an array as NumPy's; True as 1."""
    array = np.asarray(number)
    return array.astype(int) if array.dtype == bool else array


def take_value(found, event):
    """Add what a statement gives a name, but for the one that stops; of a dict, what is new."""
    stopped = found.file.statements.get(found.stop_line)
    if stopped is not None and stopped.line == event.line:
        return
    for part, number in flat(event.value):
        name, array = event.name + part, plain(number)
        before = next((each.array for each in found.values[::-1] if each.name == name), None)
        if not part or before is None or not np.array_equal(before, array, equal_nan=True):
            found.values.append(Value(event.step, event.words, name, array, event.line))


def take(found, case, event):
    """Add an event of the backward pass."""
    if event.kind == "assigned":
        take_value(found, event)
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


def handed_to(implementation, case, called):
    """The arguments of a function that a case calls by this name, {name: value}."""
    caught = []

    def find(name):
        function = implementation.find(name)

        def catching(*given, **named):
            bound = inspect.signature(function).bind(*given, **named)
            bound.apply_defaults()
            caught.append(copied(dict(bound.arguments)))
            return function(*given, **named)

        return catching if name == called else function

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
