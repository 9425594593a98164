"""A file's text, as the recorder needs it: statements, labels, loops."""

import ast
import linecache
import re
from dataclasses import dataclass
from functools import cache

LABEL = re.compile(r"\s*# \((\d+(?:, \d+)*)\) (.*)")


@dataclass(frozen=True, eq=False)
class Statement:
    """Its first line; the names that it gives a value or changes in place;
    the parts of arrays that it fills, as text and compiled."""

    line: int
    names: tuple
    parts: tuple


@dataclass(frozen=True, eq=False)
class File:
    statements: dict    # line -> the simple Statement that it is part of
    loops: set          # the lines of the loops' heads
    labels: list        # (line, "2, 1", words)
    bodies: dict        # a function's first line -> the (first, last) line of its statements

    def place_in_body(self, code, line):
        """Which statement of a function's body the line is part of."""
        for place, (first, last) in enumerate(self.bodies.get(code.co_firstlineno, ())):
            if first <= line <= last:
                return place
        return None


def labels(source):
    """-> [(line, "2, 1", words), ...] of a file's text."""
    return [(line, found[1], found[2]) for line, text in enumerate(source.splitlines(), 1)
            if (found := LABEL.match(text))]


def parsed(filename):
    return parsed_text("".join(linecache.getlines(filename)))


@cache
def parsed_text(source):
    statements, loops, bodies = {}, set(), {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.For):
            loops.add(node.lineno)
        elif isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            bodies[first] = [(part.lineno, part.end_lineno) for part in node.body]
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            statement = Statement(node.lineno, assigned(node), parts(node))
            for line in range(node.lineno, node.end_lineno + 1):
                statements[line] = statement
    return File(statements, loops, labels(source), bodies)


def assigned(node):
    """The variables that a statement writes or writes into; for a call on
    its own, the one whose method it is, or that it is handed first."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        names = [part.id for given in [*owner, *call.args[:1]] for part in ast.walk(given)
                 if isinstance(part, ast.Name) and part.id not in ("np", "torch")]
        return tuple(names[:1])
    stored = [part for part in ast.walk(node)
              if isinstance(getattr(part, "ctx", None), ast.Store)]
    names = [part.id for part in stored if isinstance(part, ast.Name)]
    for part in stored:                         # x[...] = value
        if isinstance(part, ast.Subscript):
            names += [base.id for base in ast.walk(part.value) if isinstance(base, ast.Name)][:1]
    return tuple(names)


def parts(node):
    """The slices that a statement fills: `keys[:, :, start:S] = k`."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    texts = [ast.unparse(target) for target in targets if isinstance(target, ast.Subscript)]
    return tuple((text, compile(text, "part", "eval")) for text in texts)
