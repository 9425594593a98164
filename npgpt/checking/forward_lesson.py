"""What a student is told of a function that is no backward pass: as `lesson`, of one call."""

import inspect

import numpy as np

from npgpt.checking.guess import alike
from npgpt.checking.implementations import Stopped
from npgpt.checking.lesson import step_of_stop, told_of_steps
from npgpt.checking.passes import handed_to, heard, returned
from npgpt.checking.recorder import copied
from npgpt.checking.tutor import blame, cause_of_stop, judge


def forward_lesson(case, ours, yours, file):
    """-> what is told of a pair's forward pass, or None where its result is right."""
    function, student = ours.find(case.component), yours.find(case.component)
    if student is function:
        return None
    given = handed_to(ours, case, case.component)
    return lesson_of_call(case, function, student, given, file, yours.packages)


def lesson_of_call(case, function, student, given, file, packages):
    """-> what is told of a student's function, or None where it returns what ours does.
    given: the arguments, {name: value}; case: what has the sizes of the example in `chosen`.
    Raises Stopped where nothing is written."""
    function, student = inspect.unwrap(function), inspect.unwrap(student)
    if same_results(results(function, given), results(student, given)):
        return None
    expected, found = heard(function, given, ("npgpt",)), heard(student, given, packages)
    functions = (function, tuple(given.values()), student)
    targets = judge(expected, found)
    blamed = blame(case, expected, found, targets, functions)
    cause, step = None, step_of_stop(found)
    if step:
        cause = cause_of_stop(expected, found, step, functions)
    name, result = function.__name__, (targets, blamed, cause, expected, found)
    text = told_of_steps(name, case, result, file)
    if text is None and isinstance(found.stopped, NotImplementedError):
        raise Stopped(f"{name} is not written yet")
    return text or f"{name} returns more than is asked for, or numbers of another kind"


def results(function, given):
    """What a call returns, {name: array}; None where it stops."""
    try:
        return returned(function(**copied(given)))
    except (Exception, SystemExit):
        return None


def same_results(expected, found):
    return found is not None and expected.keys() == found.keys() and all(
        np.shape(found[name]) == array.shape and alike(found[name], array)
        for name, array in expected.items())
