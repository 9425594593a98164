"""Which steps of a student's pass are right, and what is wrong with the first that is not.

A value is looked for by its step and its name, then by what it is, under any name: a right step
may be written in another form. A step is wrong only where its own value is; what it was
handed by an earlier one is that one's fault, which comes first."""

from dataclasses import dataclass, field

import numpy as np

from npgpt.checking.case import is_array
from npgpt.checking.edits import cause_by_change
from npgpt.checking.fingerprints import (
    Cause,
    one_difference,
    one_number,
    plain_cause,
    vague_cause,
)
from npgpt.checking.guess import alike
from npgpt.checking.related import cause_from_others, cause_of_part
from npgpt.checking.trace import sizes_of

RIGHT, WRONG, MISSING = "right", "wrong", "missing"
END = 10 ** 6                           # a line behind each file's last


@dataclass(frozen=True)
class Pair:
    """A student's value beside the expected one; both lines; in a loop, the turn."""

    name: str
    yours: np.ndarray
    expected: np.ndarray
    line: int
    our_line: int
    turn: int = 0


@dataclass
class Target:
    """A gradient that a step has to find; values: the package's, each time that the name is
    assigned; pairs: where it is wrong, the likeliest first."""

    step: str
    words: str
    name: str
    values: list
    state: str = MISSING
    pairs: list = field(default_factory=list)

    @property
    def expected(self):
        return self.values[-1].array

    def is_of(self, step):
        """True for the same step, or for a part of a step such as "3, 2, 1"."""
        return bool(set(self.step.split(", ")) & set(step.split(", ")))


@dataclass(frozen=True)
class Blame:
    """The first thing that is wrong, its step and its cause."""

    step: str
    words: str
    pair: Pair
    cause: Cause


def targets_of(ours):
    """The gradients to find, in the order of the steps."""
    found = {}
    for value in ours.values:
        if not value.step or not value.name.startswith(ours.sought):
            continue
        target = found.setdefault((value.step, value.name), Target(
            value.step, value.words, value.name, []))
        target.values.append(value)
    named = [target for target in found.values() if target.name.startswith("d_")]
    return [target for target in found.values() if target in named or not any(
        alike(each.expected, target.expected) for each in named)]


def judge(ours, theirs):
    """-> the Targets, each with its state."""
    targets = targets_of(ours)
    everything = [*(value.array for value in theirs.values), *theirs.returned.values()]
    for i, target in enumerate(targets):
        own = [value for value in theirs.values if value.name == target.name
               and target.is_of(value.step)]
        later = [each for each in targets[i + 1:] if each.name == target.name]
        if own:
            right = alike(own[-1].array, target.expected) or (   # or is a step ahead
                any(alike(each.array, target.expected) for each in own)
                and any(alike(own[-1].array, each.expected) for each in later))
            target.state = RIGHT if right else WRONG
            target.pairs = [] if right else pairs(target, own)
        elif any(alike(each, target.expected) for each in everything):
            target.state = RIGHT
        else:
            look_elsewhere(target, targets[i + 1:], ours, theirs)
    results = list(ours.returned.values())
    for i, target in enumerate(targets):        # what a right one is made of was right
        if target.state == MISSING and any(
                each.state == RIGHT and each.step != target.step for each in targets[i + 1:]
                ) and not any(alike(target.expected, each) for each in results):
            target.state = RIGHT
    excuse_later_turns(targets, theirs)
    return targets


def excuse_later_turns(targets, theirs):
    """In a loop one step's mistake is the next turn's input: of the steps that are wrong in
    some turn, the one is to blame that is wrong first; those above it in the loop were right.
    Where a step of the loop is not written yet, the first turn alone counts."""
    unwritten = any(each.state == MISSING and len(each.values) > 1 for each in targets)
    shows = {}
    for i, target in enumerate(targets):
        own = by_turns([(at, value.array) for at, value in enumerate(theirs.values)
                        if value.name == target.name and target.is_of(value.step)], target)
        if target.state == WRONG and 1 < len(own) == len(target.values):
            turns = [alike(array, wanted.array)
                     for (_, array), wanted in zip(own, target.values)]
            shows[i] = own[turns.index(False)][0]
            if unwritten and turns[0]:
                shows[i] = -1
    first = min(shows, key=lambda i: shows[i] if shows[i] >= 0 else END, default=0)
    for i, at in shows.items():
        if i < first or at < 0:
            targets[i].state, targets[i].pairs = RIGHT, []


def by_turns(own, target):
    """Of a name that is assigned several times in each turn, the last one in each."""
    several, rest = divmod(len(own), len(target.values))
    return own if rest or not several else own[several - 1::several]


def pairs(target, own):
    """The first of the student's values of this name that is wrong, and the last."""
    found, last, own = [], 0, by_turns(own, target)
    if len(own) == len(target.values):
        last = len(own) - 1
        found = [Pair(target.name, value.array, wanted.array, value.line, wanted.line, turn)
                 for turn, (value, wanted) in enumerate(zip(own, target.values))
                 if not alike(value.array, wanted.array)][:1]
    return [*found, Pair(target.name, own[-1].array, target.expected, own[-1].line,
                         target.values[-1].line, last)]


def look_elsewhere(target, later, ours, theirs):
    """Where the step has no such name: without labels the last value of that name; or what is
    returned."""
    own = [value for value in theirs.values if value.name == target.name]
    if own and not any(value.step for value in theirs.values) and not any(
            each.name == target.name for each in later):
        target.state, target.pairs = WRONG, pairs(target, own[-1:])
        return
    for name, result in ours.returned.items():
        if name in theirs.returned and alike(result, target.expected) and not any(
                alike(each.expected, result) for each in later):
            target.state = WRONG
            target.pairs = [Pair(target.name, theirs.returned[name], result, theirs.line,
                                 target.values[-1].line)]


def blame(case, ours, theirs, targets, functions):
    """-> the Blame for the first wrong target, or None. functions: the package's backward
    pass, its arguments, and the student's."""
    wrong = next((target for target in targets if target.state == WRONG), None)
    if wrong is None:
        return None
    before = targets[:targets.index(wrong)]
    possible = {wrong.step, *(each.step for each in before if each.state == MISSING)}
    for pair in [*on_the_way(wrong, ours, theirs), *wrong.pairs]:
        cause, step = cause_of(case, ours, theirs, pair, wrong.step, possible, functions)
        if cause is not None:
            words = next(each.words for each in targets if each.step == step)
            return Blame(step, words, pair, cause)
    pair = wrong.pairs[-1]
    return Blame(wrong.step, wrong.words, pair, vague_cause(pair.yours, pair.expected))


def on_the_way(target, ours, theirs):
    """What the step works out on its way to the gradient, where both passes name it and it is
    wrong already."""
    for value in theirs.values:
        if value.name.startswith(ours.sought) or not target.is_of(value.step):
            continue
        same = [each for each in ours.values
                if each.name == value.name and each.step == target.step]
        if same and value.array.dtype.kind == "f" and not alike(value.array, same[-1].array):
            yield Pair(value.name, value.array, same[-1].array, value.line, same[-1].line)


def cause_of(case, ours, theirs, pair, step, possible, functions):
    """-> the Cause, or None, and the step that it lies in."""
    if pair.yours.dtype.kind not in "fiub":
        return Cause("value", f"It holds {pair.yours.dtype}, not real numbers."), step
    yours, expected = pair.yours.astype(float), pair.expected.astype(float)
    sizes, (function, given, student) = sizes_by_name(case, ours, pair.name), functions
    known = known_arrays(ours, function.__code__.co_varnames[0], given[0], expected)
    cause = plain_cause(yours, expected, sizes)
    by_chance = not expected.ndim and cause and set("√·") & set(cause.words)
    if cause is not None and not by_chance:
        return cause, step
    steps = steps_by_line(ours, function.__code__.co_firstlineno)
    lines = [line for line, each in steps.items() if each in possible and line <= pair.our_line]
    right = right_lines(ours, theirs) - {pair.our_line}
    helpers = [name for name in function.__code__.co_names if name.endswith("_backward")
               and name not in student.__code__.co_names]
    for likely in ([line for line in lines if line not in right], lines):
        found = cause_by_change(function, given, pair.name, pair.our_line, likely, yours, helpers,
                                pair.turn)
        if found is not None:
            return found[0], steps.get(found[1], step)
    return (another_number(yours, expected, known) or cause
            or cause_from_others(yours, expected, known)
            or cause_of_part(yours, expected, sizes, known)
            or one_number(yours, expected, sizes) or one_difference(yours, expected)), step


def right_lines(ours, theirs):
    """The package's lines of which the student has all values, by the same names."""
    lines = {}
    for value in ours.values:
        lines[value.line] = lines.get(value.line, True) and any(
            each.name == value.name and alike(each.array, value.array)
            for each in theirs.values)
    return {line for line, right in lines.items() if right}


def another_number(yours, expected, known):
    """Where a single number belongs, another one that has a name."""
    if yours.ndim or expected.ndim or yours in (0, 1):
        return None
    name = next((name for name, other in known.items() if not other.ndim and other == yours), None)
    return name and Cause("value", f"Yours is {name}, unchanged.")


def cause_of_stop(ours, theirs, step, functions):
    """-> the Cause of the error with which a step stops, or None: what the package does in its
    line of the same names is changed until it stops with the same error."""
    function, given, student = functions
    statement = theirs.file.statements.get(theirs.stop_line)
    names = statement.names if statement else ()
    lines = [value.line for value in ours.values
             if value.step == step and value.name.split(".")[0] in names]
    if not lines:
        return None
    found = cause_by_change(function, given, "", max(lines), lines, theirs.stopped)
    return found and found[0]


def known_arrays(ours, name, given, expected):
    """What a factor or a term may be: the upstream gradient and all that has a name, but for
    what is looked for."""
    known = {name: np.asarray(given)} if is_array(given) else {}
    known |= {value.name: value.array for value in ours.values} | {
        name: array for name, array in ours.forward.items() if "." not in name}
    return {name: array.astype(float) for name, array in known.items()
            if array.dtype.kind in "fiub" and not alike(array, expected)}


def sizes_by_name(case, ours, sought):
    """The sizes of the example: its letters, then whole numbers that the passes name, but for
    what is sought, then how many entries of a mask are True."""
    sizes = sizes_of(case)
    arrays = {value.name: value.array for value in ours.values} | ours.forward
    for name, array in arrays.items():
        if "." not in name and name != sought and array.ndim == 0 and array > 1 and (
                array == int(array) and int(array) not in sizes.values()):
            sizes[name] = int(array)
    for name, array in arrays.items():
        if array.ndim and np.isin(array, (0, 1)).all() and array.sum() > 1 and (
                int(array.sum()) not in sizes.values()):
            sizes[f"{name}.sum()"] = int(array.sum())
    return sizes


def steps_by_line(ours, start):
    """line of the package's backward pass, which starts at that line -> its step."""
    lines = {}
    labels = [(line, step) for line, step, _ in ours.file.labels if line > start]
    for (line, step), (end, _) in zip(labels, [*labels[1:], (END, "")]):
        lines.update(dict.fromkeys(range(line, min(end, line + 100)), step))
    return lines
