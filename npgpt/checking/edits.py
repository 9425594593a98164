"""What a backward pass would give if one thing in it were otherwise. Where that is what a
student's array holds, or where it stops with the same error, the mistake has a name."""

import ast
import inspect
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

from npgpt.checking.fingerprints import Cause
from npgpt.checking.guess import alike
from npgpt.checking.recorder import copied
from npgpt.checking.replacements import KINDS, changes, changes_of_two
from npgpt.checking.trace import flat


def cause_by_change(function, given, name, line, lines, wrong, helpers=(), turn=0):
    """-> (Cause, its line), of the one change in `lines` of the function that makes its variable
    `name`, as it is after `line`, the student's array, or that makes it stop with the student's
    error; None where there is none. given: the arguments; helpers: names of functions that it
    calls, which are changed too; turn: of a loop, from 0."""
    tree, space = definition(function), dict(vars(inspect.getmodule(function)))
    tried = [(change, at, tree) for change, at in changes_within(tree, lines)]
    tree.body = cut_after(tree.body, line, turn)
    for helper in helpers:
        part = definition(space[helper])
        at = max((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)
                  and node.id == helper and node.lineno <= line), default=0)
        if not at:
            continue
        tried += [(change, at, part) for change, _ in changes_within(part, None)]
    for (kind, words, spots), at, changed in sorted(
            tried, key=lambda each: (KINDS.index(each[0][0]), -each[1])):
        with put(spots):
            value = result(tree, changed, space, given, name)
        if isinstance(wrong, Exception):
            if isinstance(value, Exception) and str(value) == str(wrong):
                return Cause(kind, f"The same error comes {words}."), at
        elif isinstance(value, np.ndarray) and same(value, wrong):
            return Cause(kind, f"Yours is the value {words}."), at
    return None


def cut_after(body, line, turn=0):
    """The statements up to a line, in a loop until that turn, then `return locals()`."""
    end = end_of(body, line)
    if isinstance(body[end], ast.For):
        loop = body[end]
        inner = through_turns(loop.body, line, turn) if turn else cut_after(loop.body, line)
        return [*body[:end], ast.For(loop.target, loop.iter, inner, [],
                                     lineno=loop.lineno, end_lineno=loop.end_lineno)]
    return [*body[:end + 1], ast.parse("return locals()").body[0]]


def through_turns(body, line, turn):
    """A loop's statements, which return behind a line in that turn."""
    end = end_of(body, line)
    if isinstance(body[end], ast.For):
        loop = body[end]
        inner = ast.For(loop.target, loop.iter, through_turns(loop.body, line, turn), [],
                        lineno=loop.lineno, end_lineno=loop.end_lineno)
        return [*body[:end], inner, *body[end + 1:]]
    stop = ast.parse("_turns = locals().get('_turns', -1) + 1\n"
                     f"if _turns == {turn}:\n    return locals()").body
    return [*body[:end + 1], *stop, *body[end + 1:]]


def end_of(body, line):
    """Which statement a line belongs to."""
    return next(i for i, statement in enumerate(body) if line <= statement.end_lineno)


def same(value, wrong):
    """True where a student's array is the value, perhaps repeated."""
    if value.ndim < wrong.ndim and value.ndim == 0:
        value = np.full(wrong.shape, value)
    return alike(value, wrong)


def definition(function):
    """-> the function's definition, its lines numbered as in its file."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                and node.name == function.__name__)


def changes_within(tree, lines):
    """Yields (change, line) for the statements of a function on these lines, or on all."""
    names = [each.arg for each in tree.args.args]
    names += sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
                     and isinstance(node.ctx, ast.Store)} - set(names))
    found = [node for statement in tree.body for node in ast.walk(statement)
             if isinstance(node, ast.stmt) and not isinstance(node, (ast.Return, ast.Raise))]
    for first, second in pairwise([*found, None]):
        if lines is None or first.lineno in lines:
            yield from ((change, first.lineno) for change in changes(first, names))
            yield from ((change, first.lineno) for change in changes_of_two(first, second))


@contextmanager
def put(spots):
    """Inside, other nodes stand at the spots."""
    before = []
    for (parent, field, index), new in spots:
        old = getattr(parent, field)
        before.append((parent, field, old))
        setattr(parent, field, new if index is None else [*old[:index], new, *old[index + 1:]])
    try:
        yield
    finally:
        for parent, field, old in before[::-1]:
            setattr(parent, field, old)


def result(tree, changed, space, given, name):
    """The variable's value as the changed text computes it, or the error with which it stops;
    None where it has no such value."""
    space = dict(space)
    try:
        with np.errstate(all="ignore"):
            for each in {id(changed): changed, id(tree): tree}.values():
                module = ast.fix_missing_locations(ast.Module([each], []))
                exec(compile(module, "changed", "exec"), space)
            value = space[tree.name](*copied(given))
    except Exception as error:
        return error
    base = name.split(".")[0]
    try:
        parts = {base + part: number for part, number in flat(value[base])}
        return np.asarray(parts[name], float)
    except (KeyError, IndexError, TypeError, ValueError):
        return None
