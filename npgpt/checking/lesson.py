"""What a student is told of the backward pass: which steps are right, which is the first that
is not, the line, two numbers and the cause."""

import inspect

import numpy as np

from npgpt.checking.case import backward_of
from npgpt.checking.guess import alike
from npgpt.checking.passes import handed_to, listened, statement_at, values_at
from npgpt.checking.trace import sizes_of
from npgpt.checking.tutor import MISSING, RIGHT, WRONG, blame, cause_of_stop, judge

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def examined(case, ours, yours):
    """-> Targets, Blame or None, the Cause of an error or None, both Passes; None where the pass
    never begins, or where it is the forward pass that is wrong."""
    name = backward_of(case.component)
    expected, found = listened(ours, case), listened(yours, case)
    if found.file is None:
        return None
    outputs = [each.forward["y"] for each in (expected, found) if "y" in each.forward]
    if len(outputs) == 2 and not alike(*outputs):
        return None
    targets = judge(expected, found)
    functions = (inspect.unwrap(ours.find(name)), tuple(handed_to(ours, case, name).values()),
                 inspect.unwrap(yours.find(name)))
    blamed = blame(case, expected, found, targets, functions)
    cause = None
    if step_of_stop(found):
        cause = cause_of_stop(expected, found, step_of_stop(found), functions)
    return targets, blamed, cause, expected, found


def lesson(case, ours, yours, file):
    """-> what is told of an example, as text; None where no step of the backward pass is
    wrong on it, or none is written."""
    result = examined(case, ours, yours)
    if result is None:
        return None
    return told_of_steps(backward_of(case.component), case, result, file)


def told_of_steps(function, case, result, file):
    """As `lesson`, of what has been examined."""
    targets, blamed, cause, expected, found = result
    if not targets:
        return None                     # nothing trains in this example
    unfinished = isinstance(found.stopped, NotImplementedError)
    states = states_of_steps(targets, blamed, found)
    if unfinished and RIGHT not in states.values() and not any(
            value.step for value in found.values):
        return None                     # nothing is written yet
    sizes = sizes_in_words(case)
    told = [f"{function} on an example{' with ' if sizes else ''}{sizes}:",
            *list_of_steps(states, targets)]
    if blamed:
        told += ["", *told_of_value(blamed, file)]
    elif found.stopped is None or unfinished:
        rest = told_of_rest(targets, expected, found, file)
        if rest is None:
            return None
        told += ["", *rest]
    if found.stopped is not None and not unfinished:
        told += ["", *told_of_stop(found, cause, file)]
    if found.written_to:
        told += [f"  Besides, {found.written_to} has been changed in place: whoever handed it"
                 " over may still need it."]
    return "\n".join([*told, "", praise(states)])


def states_of_steps(targets, blamed, found):
    """{step: state}, in the order of backward."""
    stopped_in = step_of_stop(found)
    states = {}
    for target in targets:
        here = [each.state for each in targets if each.step == target.step]
        state = WRONG if WRONG in here else MISSING if MISSING in here else RIGHT
        blamed_here = blamed.step == target.step if blamed else (
            state == MISSING and target.is_of(stopped_in))
        states[target.step] = WRONG if blamed_here else state
    return states


def step_of_stop(found):
    """The step in which an error was raised; "" where none was, or where the rest is left out."""
    if found.stopped is None or isinstance(found.stopped, NotImplementedError):
        return ""
    return ([""] + [step for line, step, _ in found.file.labels
                    if found.start < line <= found.stop_line])[-1]


def list_of_steps(states, targets):
    """A line for each step."""
    words = {target.step: f"({target.step}) {short(target.words)}" for target in targets}
    width = max(map(len, words.values()))
    first = next((step for step, state in states.items() if state == WRONG), None)
    before = list(states)[:list(states).index(first)] if first else []
    for step, state in states.items():
        if step in before and state == MISSING:
            yield f"  · {words[step]:<{width}}   not seen under a name of its own"
        elif state == RIGHT:
            yield f"  ✓ {words[step]}"
        elif step == first:
            yield f"  ✗ {words[step]}"
        elif first is not None:
            yield f"    {words[step]:<{width}}   waits for ({first})"
        else:
            names = names_in_words(target.name for target in targets
                                   if target.step == step and target.state == MISSING)
            yield f"  · {words[step]:<{width}}   to find: {names}"


def short(words):
    """A label without what it explains."""
    return words.split(":")[0]


def names_in_words(names):
    """d_up.weight and d_up.bias are one thing to find, d_up."""
    return ", ".join(dict.fromkeys(name.split(".")[0] if name.startswith("d_") else spoken(name)
                                   for name in names))


def told_of_value(blamed, file):
    """The student's line, the two numbers and the cause."""
    pair = blamed.pair
    yield f"Step ({blamed.step}) {short(blamed.words)}: {spoken(pair.name)} is wrong."
    yield from line_of(file, pair.line)
    if pair.yours.shape != pair.expected.shape:
        if "shape" not in blamed.cause.words:
            yield f"  yours has shape {pair.yours.shape}, expected {pair.expected.shape}"
    else:
        index = telling_index(pair.yours, pair.expected)
        place = f"{spoken(pair.name)}[{', '.join(map(str, index))}]" if index else spoken(pair.name)
        yield (f"  {place}: yours {number(pair.yours[index])},"
               f" expected {number(pair.expected[index])}")
    yield f"  {blamed.cause.words}"


def telling_index(yours, expected):
    """Where the two differ most, if possible where neither is 0."""
    both = (yours != 0) & (expected != 0) & (yours != expected)
    difference = np.abs(np.where(both | ~both.any(), yours - expected, 0))
    return tuple(map(int, np.unravel_index(np.nanargmax(difference), difference.shape)))


def line_of(file, line):
    yield f"  {file.name}, line {line}:"
    yield from (f"      {each.strip()}" for each in statement_at(file, line))


def number(value):
    return f"{value + 0.0:.4g}"       # no minus before 0


def spoken(name):
    """grads.up.weight -> grads["up"]["weight"]."""
    base, *keys = name.split(".")
    return base + "".join(f"[{key}]" if key.isdigit() else f'["{key}"]' for key in keys)


def told_of_stop(found, cause, file):
    """The line that raises an error, and the shapes in it."""
    error = found.stopped
    yield f"It stops in line {found.stop_line} with {type(error).__name__}: {error}"
    yield from line_of(file, found.stop_line)
    shapes, missing = values_at(file, found)
    if shapes:
        yield f"  {shapes}"
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield f"  {' and '.join(missing)} {verb} None in this example."
    elif cause:
        yield f"  {cause.words}"


def told_of_rest(targets, expected, found, file):
    """What is to be done where nothing is wrong so far; None where nothing is."""
    missing = [target for target in targets if target.state == MISSING]
    if missing:
        step = missing[0].step
        names = names_in_words(each.name for each in missing if each.step == step)
        return [f"What is there is right. Next is step ({step}) {short(missing[0].words)}:"
                f" find {names}."]
    for name, value in expected.returned.items():
        if name not in found.returned:
            return [f"Every step is right, but {spoken(name)} is not returned.",
                    *(line_of(file, found.line) if found.line else [])]
        if not alike(found.returned[name], value):
            other = [key for key, each in expected.returned.items()
                     if alike(each, found.returned[name])]
            return [f"Every step is right, but what is returned as {spoken(name)} is"
                    f" {spoken(other[0]) if other else 'something else'}.",
                    *line_of(file, found.line)]
    return None


def praise(states):
    right, count = list(states.values()).count(RIGHT), len(states)
    if right == count:
        return "All steps are right." if count > 1 else "The step is right."
    if right == 0:
        return "No step is right yet."
    word = NUMBERS[right] if right < len(NUMBERS) else str(right)
    all_of = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{word.capitalize()} of {all_of} steps {'is' if right == 1 else 'are'} right."


def sizes_in_words(case):
    return ", ".join(f"{name} = {size}" for name, size in sizes_of(case).items())
