"""What each step of a computation works out, by step and name.

The labels `# (2) words` cut a function into steps. `record` runs a
computation and keeps what each statement assigns, under the step's number
and the variable's name: two halves that use the same labels and names can
be laid beside one another, value by value. It needs nothing of the
functions: it listens to the interpreter (sys.settrace)."""

import ast
import linecache
import re
import sys
from dataclasses import dataclass, field
from functools import cache

from npgpt import blocks, layers, models

LABEL = re.compile(r"\s*# \((\d+(?:, \d+)*)\) (.*)")


@dataclass(frozen=True)
class Key:
    """calls: "gpt > block[1] > linear", the last being the function; slot:
    the step as far as it tells two values apart."""

    calls: str
    slot: str
    name: str
    turn: int = 0
    step: str = field(default="", compare=False)
    words: str = field(default="", compare=False)

    @property
    def is_border(self):
        """True for what a function is handed or returns."""
        return "(" in self.name or self.name.startswith("returns")

    @property
    def function(self):
        return re.sub(r"\[\d+\]$", "", self.calls.split(" > ")[-1])


def labels(source):
    """-> [(line, "2, 1", words), ...] of a file's text."""
    return [(line, found[1], found[2]) for line, text in enumerate(source.splitlines(), 1)
            if (found := LABEL.match(text))]


@cache
def parsed(source):
    """-> line -> (its statement's first line, names that it assigns), the
    loop headers' lines, labels."""
    statements, loops = {}, set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.For):
            loops.add(node.lineno)
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            for line in range(node.lineno, node.end_lineno + 1):
                statements[line] = (node.lineno, assigned(node))
    return statements, loops, labels(source)


def assigned(node):
    """The variables that a statement writes; for a call on its own, the
    one it is handed first, or whose method it is."""
    if isinstance(node, ast.Assign):
        return names_in(node.targets)
    if isinstance(node, ast.AugAssign):
        return names_in([node.target])
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return names_in([*owner, *call.args[:1]])
    return ()


def names_in(targets):
    return tuple(node.id for target in targets for node in ast.walk(target)
                 if isinstance(node, ast.Name))


class Recorder:
    """Collects the values of the functions that live in a package."""

    def __init__(self, packages, leave):
        self.packages, self.leave = packages, leave
        self.values, self.frames, self.calls = {}, {}, {}

    def run(self, computation):
        """-> the computation's result; `values` then holds its steps'."""
        previous = sys.gettrace()
        sys.settrace(self.on_call)
        try:
            return computation()
        finally:
            sys.settrace(previous)

    def watches(self, frame):
        module = frame.f_globals.get("__name__", "")
        return (not frame.f_code.co_name.startswith("<")
                and not module.startswith(NO_STEPS)
                and any(module == package or module.startswith(f"{package}.")
                        for package in self.packages))

    def on_call(self, frame, event, arg):
        if not self.watches(frame):
            return None
        outer, caller = None, frame.f_back
        while caller is not None and outer is None:
            outer, caller = self.frames.get(id(caller)), caller.f_back
        name = frame.f_locals.get("stands_for") or frame.f_code.co_name
        name = name.removesuffix("_reference")
        if name in ("forward", "backward"):     # a model's, called by its path
            name = f"{frame.f_globals['__name__'].rpartition('.')[2]}.{name}"
        if frame.f_globals["__name__"] == SHARDS:
            if outer is None:
                return None
            self.frames[id(frame)] = Frame(frame.f_code, outer.path, outer.calls, outer.label())
            return self.on_event
        calls = outer.calls if outer else self.calls
        nth = calls[name] = calls.get(name, -1) + 1
        inner = f"{name}[{nth}]" if nth else name
        state = Frame(frame.f_code, f"{outer.path} > {inner}" if outer else inner, {},
                      outer.label() if outer else ("", ""))
        self.frames[id(frame)] = state
        for local, value in list(frame.f_locals.items()):
            if not local.startswith(("saved", "stands_for", "params", "config")):
                self.keep(outer or state, f"{inner}({local})", value)
        return self.on_event

    def on_event(self, frame, event, arg):
        state = self.frames[id(frame)]
        begun, names = state.statements.get(state.line, (None, ()))
        ended = event == "return" or begun != state.statements.get(frame.f_lineno, (0,))[0]
        if event in ("line", "return") and ended:
            for name in names:
                if name in frame.f_locals and not name.startswith("saved"):
                    self.keep(state, name, frame.f_locals[name])
        if event == "line":
            state.line = frame.f_lineno
            state.turn += frame.f_lineno in state.loops
        if event == "return":
            is_forward = isinstance(arg, tuple) and len(arg) == 2 and (
                isinstance(arg[1], tuple) or has_backward(state.path))
            self.keep(state, "returns", arg[0] if is_forward else arg)
            del self.frames[id(frame)]
        return self.on_event

    def keep(self, state, name, value):
        step, words = state.label()
        # a result is the same result whichever label stands last
        slot = "" if name == "returns" else step
        for part, number in flat(value):
            key = Key(state.path, slot, name + part, state.turn, step, words)
            self.values.pop(key, None)      # the last value of a step counts
            self.values[key] = self.leave(number)


# modules of ours that are not what is checked
NO_STEPS = ("npgpt.checking", "npgpt.tree", "npgpt.random_stream", "npgpt.runs.checkpoint",
            "torchgpt.checking.arms")
# calls that one implementation makes and the other does not
SHARDS = "npgpt.speed.threads"


def has_backward(path):
    """True for the path of a pair's forward pass, which returns (output, saved)."""
    name = path.rpartition(" > ")[2].partition("[")[0]
    return name.endswith(".forward") or any(
        hasattr(room, f"{name}_backward") for room in (layers, blocks, models))


class Frame:
    """One call that is being listened to."""

    def __init__(self, code, path, calls, within):
        self.path, self.calls, self.within = path, calls, within
        self.first, self.line, self.turn = code.co_firstlineno, None, 0
        source = "".join(linecache.getlines(code.co_filename))
        self.statements, self.loops, self.labels = parsed(source)

    def label(self):
        """-> number, words of the step that the line in hand belongs to; the
        caller's, where a function has no labels of its own."""
        found = self.within
        for line, step, words in self.labels:
            if self.line is not None and self.first < line <= self.line:
                found = step, words
        return found


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

