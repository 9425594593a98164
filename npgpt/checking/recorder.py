"""What a computation works out, statement by statement.

The labels `# (2) words` cut a function into steps. A recorder listens to
the interpreter (sys.settrace) while a computation runs, and keeps a copy of
what each statement gives a value, with its line and the step it stands in.
The functions know nothing of it. Two packages that use the same labels and
names can then be laid beside one another, value by value."""

import sys
from dataclasses import dataclass, field

from npgpt.checking.statements import parsed
from npgpt.replacing import replaced
from npgpt.speed import threads

# modules of ours that are not what is checked
NO_STEPS = ("npgpt.checking", "npgpt.tree", "npgpt.random_stream", "npgpt.runs.checkpoint",
            "torchgpt.checking.implementations")
# calls that one implementation makes and the other does not
SHARDS = "npgpt.speed.threads"


@dataclass(eq=False)
class Call:
    """One call that is listened to. path: "gpt2.forward > block[1] > linear",
    the last being the function."""

    path: str
    code: object
    space: dict                                 # the function's globals
    within: tuple = ("", "")                    # the caller's step and its words
    counts: dict = field(default_factory=dict)  # of the functions that it calls
    before: dict = field(default_factory=dict)  # statement of its body -> the locals before it
    line: int | None = None
    raising: bool = False                       # its line has raised an error
    turn: int = 0                               # of its loops
    result: object = None

    def __post_init__(self):
        self.file = parsed(self.code.co_filename)

    def step(self):
        """-> number, words of the step that the line in hand belongs to; the
        caller's, where a function has no labels of its own."""
        found = self.within
        for line, step, words in self.file.labels:
            if self.line is not None and self.code.co_firstlineno < line <= self.line:
                found = step, words
        return found


@dataclass(frozen=True, eq=False)
class Event:
    """A value, copied. kind: "given" to a call, "assigned" by a statement,
    the "part" of an array that one fills, or "returned"."""

    kind: str
    call: Call
    name: str
    value: object
    line: int
    turn: int
    step: str
    words: str


class Recorder:
    """Collects the events of the functions that live in some packages.

    known: code -> the name by which its function is called here, where that
    is not its own. skip(kind, name): what need not be kept. snapshots: the
    functions before whose statements all locals are kept, by their code."""

    def __init__(self, packages, known=None, skip=lambda kind, name: False, snapshots=()):
        self.packages, self.known, self.skip = packages, known or {}, skip
        self.snapshots = snapshots
        self.events, self.calls, self.open, self.counts = [], [], {}, {}

    def run(self, computation):
        """-> the computation's result; all in one thread, the one that is
        listened to."""
        previous = sys.gettrace()
        with replaced("npgpt", [(threads.thread_pool, lambda *_: SameThread)]):
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
            outer, caller = self.open.get(id(caller)), caller.f_back
        if frame.f_globals["__name__"] == SHARDS:
            if outer is None:
                return None
            call = Call(outer.path, frame.f_code, frame.f_globals, outer.step(), outer.counts)
        else:
            name = self.name_of(frame)
            counts = outer.counts if outer else self.counts
            nth = counts[name] = counts.get(name, -1) + 1
            inner = f"{name}[{nth}]" if nth else name
            call = Call(f"{outer.path} > {inner}" if outer else inner, frame.f_code,
                        frame.f_globals, outer.step() if outer else ("", ""))
            for local, value in list(frame.f_locals.items()):
                if local != "stands_for" and not self.skip("given", local):
                    self.add_event("given", outer or call, f"{inner}({local})", value)
        self.calls.append(call)
        self.open[id(frame)] = call
        return self.on_event

    def name_of(self, frame):
        """The function's name; that which it stands for, where it says so."""
        code = frame.f_code
        name = self.known.get(code) or frame.f_locals.get("stands_for") or code.co_name
        return name.removesuffix("_reference")

    def on_event(self, frame, event, arg):
        call = self.open[id(frame)]
        if event in ("line", "return"):
            now = call.file.statements.get(frame.f_lineno)
            last = call.file.statements.get(call.line)
            if last and not call.raising and (event == "return" or now is not last):
                self.after(call, frame, last)
        call.raising = event == "exception"
        if event == "line":
            call.line = frame.f_lineno
            call.turn += frame.f_lineno in call.file.loops
            if call.code in self.snapshots:
                self.look_before(call, frame)
        if event == "return":
            call.result = copied(arg)
            self.add_event("returned", call, "returns", call.result, copy=False)
            del self.open[id(frame)]
        return self.on_event

    def after(self, call, frame, statement):
        """Keep what a statement has given a value."""
        values = frame.f_locals
        for name in statement.names:
            if name in values and not self.skip("assigned", name):
                self.add_event("assigned", call, name, values[name], statement.line)
        for text, code in statement.parts:
            part = eval(code, frame.f_globals, values)
            self.add_event("part", call, text, part, statement.line)

    def look_before(self, call, frame):
        place = call.file.place_in_body(call.code, call.line)
        if place is not None and place not in call.before:
            call.before[place] = {name: copied(value) for name, value in frame.f_locals.items()}

    def add_event(self, kind, call, name, value, line=None, copy=True):
        step, words = call.step()
        value = copied(value) if copy else value
        line = line or call.line or call.code.co_firstlineno
        self.events.append(Event(kind, call, name, value, line, call.turn, step, words))


class SameThread:
    """A pool that works where the interpreter is listened to."""

    @staticmethod
    def map(function, *rows):
        return iter(list(map(function, *rows)))


def copied(value):
    """What is assigned now may be changed in place later."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if hasattr(value, "dtype"):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(part) for part in value)
    return value
