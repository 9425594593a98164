"""What a function would give if one thing in it were otherwise: a term left out, + for −, a sum
over another axis. Where this is what a student's array holds, the mistake has a name."""

import ast
import inspect
from contextlib import contextmanager

import numpy as np

from npgpt.checking.fingerprints import Cause
from npgpt.checking.guess import alike
from npgpt.checking.recorder import copied

REDUCTIONS = {"sum": "mean", "mean": "sum"}
AXES = (0, 1, 2, -1, -2, None)
# what is looked for first: of two edits with the same result, the likelier is told
KINDS = ("sum", "axis", "sign", "transposed", "term", "factor", "order", "operation", "function",
         "line", "value", "number", "index")


def definition(function):
    """-> the function's definition, its lines numbered as in its file."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                and node.name == function.__name__)


def edited_cause(function, given, name, line, lines, wrong, helpers=()):
    """-> (Cause, line of the edit), of the one edit in `lines` of the function that makes its
    variable `name`, as it is after `line`, the student's array; None where there is none.
    given: the arguments; helpers: names of called functions, which are edited too."""
    tree = definition(function)
    end = next(i for i, statement in enumerate(tree.body) if line <= statement.end_lineno)
    space = dict(vars(inspect.getmodule(function)))
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
                    and isinstance(node.ctx, ast.Store)} | {each.arg for each in tree.args.args})
    body = tree.body
    tree.body = [*body[:end + 1], ast.parse("return locals()").body[0]]
    tried = []
    for statement in statements(body[:end + 1], lines):
        tried += [(edit, statement.lineno, tree, statement) for edit in edits(statement, names)]
    for helper in helpers:
        part = definition(space[helper])
        inner = sorted({node.id for node in ast.walk(part) if isinstance(node, ast.Name)
                        and isinstance(node.ctx, ast.Store)})
        at = next((node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name)
                   and node.id == helper), line)
        for statement in statements(part.body, range(1, 10 ** 6)):
            tried += [(edit, at, part, statement) for edit in edits(statement, inner)]
    for (kind, words, place, new), at, edited, _ in sorted(
            tried, key=lambda each: KINDS.index(each[0][0])):
        with put(place, new):
            value = result(tree, edited, space, given, name)
        if value is not None and value.shape == wrong.shape and alike(value, wrong):
            return Cause(kind, f"Yours is what comes out {words}."), at
    return None


def statements(body, lines):
    """The statements on these lines, and those inside of them, but no early return."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.stmt) and node.lineno in lines and not isinstance(
                    node, (ast.Return, ast.Raise)):
                yield node


@contextmanager
def put(place, new):
    """Inside, the other node stands at the place (a node, its field and the index in it)."""
    parent, field, index = place
    old = getattr(parent, field)
    if index is None:
        setattr(parent, field, new)
    else:
        setattr(parent, field, [*old[:index], new, *old[index + 1:]])
    try:
        yield
    finally:
        setattr(parent, field, old)


def result(tree, edited, space, given, name):
    """The variable's value as the edited text computes it, or None where it stops."""
    space = dict(space)
    try:
        with np.errstate(all="ignore"):
            for each in {id(edited): edited, id(tree): tree}.values():
                module = ast.Module([each], [])
                exec(compile(ast.fix_missing_locations(module), "edited", "exec"), space)
            value = space[tree.name](*copied(given))
        value = value[name.split(".")[0]] if isinstance(value, dict) else None
        for key in name.split(".")[1:]:
            value = value[int(key) if isinstance(value, (list, tuple)) else key]
        return np.asarray(value, float)
    except Exception:
        return None


def edits(statement, names):
    """Yields (kind, words, place, new node) for a statement."""
    yield from edits_of_statement(statement)
    if hasattr(statement, "body"):
        return                      # the statements inside come on their own
    for node in ast.walk(statement):
        for field, value in ast.iter_fields(node):
            several = isinstance(value, list)
            for index, each in enumerate(value) if several else [(None, value)]:
                if isinstance(each, ast.expr) and not is_target(each):
                    for kind, words, new in replacements(each, names):
                        yield kind, words, (node, field, index), new


def is_target(node):
    return isinstance(getattr(node, "ctx", None), ast.Store)


def edits_of_statement(statement):
    """A line that is left out, or that fills an array another way."""
    if isinstance(statement, ast.AugAssign):
        text = ast.unparse(statement)
        yield "line", f"without the line `{text}`", (statement, "value", None), ast.parse(
            "0" if isinstance(statement.op, (ast.Add, ast.Sub)) else "1", mode="eval").body
        if isinstance(statement.op, (ast.Add, ast.Sub)):
            yield ("sign", f"with the other sign in `{text}`", (statement, "value", None),
                   ast.UnaryOp(ast.USub(), statement.value))
    if isinstance(statement, ast.If):
        yield ("line", f"without the lines below `if {ast.unparse(statement.test)}`",
               (statement, "test", None), ast.Constant(False))
    if isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("np.add.at("):
        array, index, value = statement.value.args
        yield ("sum", "where an index that stands there twice counts once, as with"
               " `array[index] += …`", (statement, "value", None),
               ast.parse(f"{ast.unparse(array)}.__setitem__({ast.unparse(index)},"
                         f" {ast.unparse(value)})", mode="eval").body)


def replacements(node, names):
    """Yields (kind, words, what could stand in the node's place)."""
    if isinstance(node, ast.BinOp):
        yield from replacements_of_operation(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", f"without the minus before {text(node.operand)}", node.operand
    if isinstance(node, ast.Call):
        yield from replacements_of_call(node)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transposed", f"without the transpose of {text(node.value)}", node.value
    if isinstance(node, ast.Name) and node.id in names:
        for other in names:
            if other != node.id:
                yield ("value", f"with {other} in place of {node.id}",
                       ast.Name(other, ast.Load()))
        yield "factor", f"with {node.id}² in place of {node.id}", ast.BinOp(node, ast.Mult(), node)
        yield "sign", f"with the sign of {node.id} reversed", ast.UnaryOp(ast.USub(), node)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for other in (node.value + 1, node.value - 1, -node.value, 2 * node.value,
                      node.value / 2):
            if other != node.value:
                yield ("number", f"with {other:g} in place of {node.value:g}",
                       ast.Constant(other))
    if isinstance(node, ast.Slice):
        for field in ("lower", "upper"):
            if getattr(node, field) is not None:
                other = ast.Slice(**{"lower": node.lower, "upper": node.upper, field: None})
                yield "index", f"with `{text(other)}` in place of `{text(node)}`", other


def replacements_of_operation(node):
    left, right, kind = node.left, node.right, type(node.op)
    if kind in (ast.Add, ast.Sub):
        other = ast.Sub if kind is ast.Add else ast.Add
        signs = ("+", "−") if kind is ast.Add else ("−", "+")
        yield "sign", f"with {signs[1]} in place of {signs[0]} before {text(right)}", ast.BinOp(
            left, other(), right)
        yield "term", f"without the term {text(right)}", left
        yield "term", f"without the term {text(left)}", (
            right if kind is ast.Add else ast.UnaryOp(ast.USub(), right))
        yield "sign", f"with the sign of `{text(node)}` reversed", ast.UnaryOp(ast.USub(), node)
    if kind is ast.Mult:
        yield "factor", f"without the factor {text(right)}", left
        yield "factor", f"without the factor {text(left)}", right
        yield "operation", f"when one divides by {text(right)} and does not multiply", ast.BinOp(
            left, ast.Div(), right)
        yield "operation", f"with + in place of · before {text(right)}", ast.BinOp(
            left, ast.Add(), right)
        for each in (left, right):
            yield "factor", f"with the factor {text(each)} twice", ast.BinOp(
                node, ast.Mult(), each)
    if kind is ast.Div:
        yield "factor", f"without the division by {text(right)}", left
        yield "operation", f"when one multiplies by {text(right)} and does not divide", ast.BinOp(
            left, ast.Mult(), right)
        yield "factor", f"when one divides by {text(right)} twice", ast.BinOp(
            node, ast.Div(), right)
    if kind is ast.MatMult:
        yield "order", f"with the two sides of `{text(node)}` interchanged", ast.BinOp(
            right, ast.MatMult(), left)
        for first, second in ((transpose(left), right), (left, transpose(right)),
                              (transpose(left), transpose(right))):
            product = ast.BinOp(first, ast.MatMult(), second)
            yield "transposed", f"with `{text(product)}`", product
        yield "operation", f"with `{text(left)} * {text(right)}`, entry by entry", ast.BinOp(
            left, ast.Mult(), right)


def replacements_of_call(node):
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in REDUCTIONS:
        other = REDUCTIONS[function.attr]
        yield ("sum", f"with {other} in place of {function.attr} in `{text(node)}`", ast.Call(
            ast.Attribute(function.value, other, ast.Load()), node.args, node.keywords))
        for axis in AXES:
            asked = [ast.keyword("axis", ast.Constant(axis)),
                     *(each for each in node.keywords if each.arg != "axis")]
            yield ("axis", f"with axis={axis} in `{text(node)}`",
                   ast.Call(function, node.args, asked))
        yield "sum", f"without the {function.attr} in `{text(node)}`", function.value
    elif isinstance(function, ast.Attribute) and function.attr in (
            "reshape", "swapaxes", "transpose"):
        yield "transposed", f"without {function.attr} in `{text(node)}`", function.value
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield "function", f"without {text(function)}", node.args[0]
    if len(node.args) > 1 and not isinstance(function, ast.Attribute):
        yield "order", f"with the arguments of {text(function)} interchanged", ast.Call(
            function, [node.args[1], node.args[0], *node.args[2:]], node.keywords)


def transpose(node):
    return ast.Call(ast.Attribute(node, "swapaxes", ast.Load()),
                    [ast.Constant(-1), ast.Constant(-2)], [])


def text(node):
    return ast.unparse(node)
