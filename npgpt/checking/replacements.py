"""The small changes to a statement that typical mistakes amount to: a term left out, + for −, a
sum over another axis.

A change is (kind, words, [(place, new node), ...]); a place is a node, its field and, where that
is a list, the index in it."""

import ast
from itertools import combinations

REDUCTIONS = {"sum": "mean", "mean": "sum"}
AXES = (0, 1, 2, -1, -2, None, (0, 1), (1, 2), (0, 2))
COMPARISONS = {ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">", ast.Eq: "=="}
ENDS = {"1:": ":-1", ":-1": "1:"}       # a shift by one the wrong way
# of two with the same result, the likelier is told
KINDS = ("comparison", "sum", "axis", "sign", "transposed", "factor", "term", "order", "operation",
         "brackets", "function", "line", "value", "number", "index")


def changes(statement, names):
    """Yields the changes to a statement. names: those that may stand in one another's place."""
    for kind, words, field, new in changes_of_statement(statement):
        yield kind, words, [((statement, field, None), new)]
    if hasattr(statement, "body"):
        return                      # the statements inside come on their own
    spots = {}                     # name -> where it is read
    for node in ast.walk(statement):
        for field, value in ast.iter_fields(node):
            several = isinstance(value, list)
            for index, each in enumerate(value) if several else [(None, value)]:
                if isinstance(each, ast.expr) and not is_target(each):
                    for kind, words, new in replacements(each, names):
                        yield kind, words, [((node, field, index), new)]
                    if isinstance(each, ast.Name):
                        spots.setdefault(each.id, []).append((node, field, index))
    for name, found in spots.items():
        for other in names if name in names and len(found) > 1 else []:
            yield ("value", f"with {other} in place of {name}",
                   [(place, ast.Name(other, ast.Load())) for place in found])


    for one, other in combinations([name for name in spots if name in names], 2):
        yield ("order", f"with {one} and {other} interchanged",
               [(place, ast.Name(other, ast.Load())) for place in spots[one]]
               + [(place, ast.Name(one, ast.Load())) for place in spots[other]])


def changes_of_two(first, second):
    """Yields the change that lets the calls in two statements change spots."""
    calls = [each.value for each in (first, second) if isinstance(each, ast.Assign)
             and isinstance(each.value, ast.Call) and each.value.args
             and isinstance(each.value.func, ast.Name)]
    if len(calls) == 2:
        one, other = calls
        yield ("order", f"with {text(one.func)} and {text(other.func)} in the other order", [
            ((first, "value", None), ast.Call(
                other.func, [one.args[0], *other.args[1:]], other.keywords)),
            ((second, "value", None), ast.Call(
                one.func, [other.args[0], *one.args[1:]], one.keywords))])


def is_target(node):
    return isinstance(getattr(node, "ctx", None), ast.Store)


def changes_of_statement(statement):
    """Yields (kind, words, field, new node): a line that is left out, or that fills an array
    another way."""
    if isinstance(statement, ast.AugAssign):
        line = f"the line `{text(statement)}`"
        is_sum = isinstance(statement.op, (ast.Add, ast.Sub))
        yield "line", f"without {line}", "value", ast.Constant(0 if is_sum else 1)
        if is_sum:
            yield ("sign", f"with the other sign in {line}", "value",
                   ast.UnaryOp(ast.USub(), statement.value))
    if isinstance(statement, ast.If):
        yield ("line", f"without the lines below `if {text(statement.test)}`", "test",
               ast.Constant(False))
    if isinstance(statement, ast.Expr) and text(statement).startswith("np.add.at("):
        array, index, value = statement.value.args
        yield ("sum", "where an index that stands there twice counts once, as with"
               " `array[index] += …`", "value", ast.Call(
                   ast.Attribute(array, "__setitem__", ast.Load()), [index, value], []))


def replacements(node, names):
    """Yields (kind, words, what could stand in the node's place)."""
    if isinstance(node, ast.BinOp):
        yield from replacements_of_operation(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        kind = "number" if isinstance(node.operand, ast.Constant) else "sign"
        yield kind, f"without the minus before {text(node.operand)}", node.operand
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
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        symbol = COMPARISONS[type(node.ops[0])]
        for kind, other in COMPARISONS.items():
            if other != symbol:
                yield ("comparison", f"with {other} in place of {symbol}",
                       ast.Compare(node.left, [kind()], node.comparators))
    if isinstance(node, ast.Slice):
        if text(node) in ENDS:
            other = ENDS[text(node)]
            yield ("index", f"with `[{other}]` in place of `[{text(node)}]`",
                   ast.parse(f"x[{other}]").body[0].value.slice)
        for field in ("lower", "upper"):
            if getattr(node, field) is not None:
                other = ast.Slice(**{"lower": node.lower, "upper": node.upper, field: None})
                yield "index", f"with `{text(other)}` in place of `{text(node)}`", other


def replacements_of_operation(node):
    left, right, kind = node.left, node.right, type(node.op)
    if kind in (ast.Add, ast.Sub):
        other = ast.Sub if kind is ast.Add else ast.Add
        symbols = ("+", "−") if kind is ast.Add else ("−", "+")
        yield "sign", f"with {symbols[1]} in place of {symbols[0]} before {text(right)}", ast.BinOp(
            left, other(), right)
        yield "term", f"without the term {text(right)}", left
        yield "term", f"without the term {text(left)}", (
            right if kind is ast.Add else ast.UnaryOp(ast.USub(), right))
        yield "sign", f"with the sign of `{text(node)}` reversed", ast.UnaryOp(ast.USub(), node)
        yield from other_brackets(node)
    if kind is ast.Mult:
        yield from other_brackets(node)
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
        yield "factor", f"without the factor {text(left)}", ast.BinOp(
            ast.Constant(1), ast.Div(), right)
        yield "operation", f"when one multiplies by {text(right)} and does not divide", ast.BinOp(
            left, ast.Mult(), right)
        yield "factor", f"when one divides by {text(right)} twice", ast.BinOp(
            node, ast.Div(), right)
    if kind is ast.MatMult:
        yield "order", f"with the two sides of `{text(node)}` interchanged", ast.BinOp(
            right, ast.MatMult(), left)
        for side in (left, right):
            if is_transpose(side):
                other = ast.BinOp(transpose(left) if side is left else left, ast.MatMult(),
                                  transpose(right) if side is right else right)
                yield "transposed", f"without the transpose in `{text(side)}`", other
        for first, second in ((transpose(left), right), (left, transpose(right)),
                              (transpose(left), transpose(right))):
            product = ast.BinOp(first, ast.MatMult(), second)
            yield "transposed", f"with `{text(product)}` in place of `{text(node)}`", product
        yield "operation", f"with `{text(left)} * {text(right)}`, entry by entry", ast.BinOp(
            left, ast.Mult(), right)


def other_brackets(node):
    """(a + b) · c -> a · c + b, and back."""
    if isinstance(node.op, ast.Mult):
        for inner, factor in ((node.left, node.right), (node.right, node.left)):
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Add, ast.Sub)):
                for left, right in ((ast.BinOp(inner.left, ast.Mult(), factor), inner.right),
                                    (inner.left, ast.BinOp(inner.right, ast.Mult(), factor))):
                    other = ast.BinOp(left, inner.op, right)
                    yield "brackets", f"with other brackets: `{text(other)}`", other
        return
    factors = factors_of(node.right)
    for i, factor in enumerate(factors):
        if len(factors) > 1:
            other = ast.BinOp(node.left, node.op, factor)
            for each in factors[:i] + factors[i + 1:]:
                other = ast.BinOp(other, ast.Mult(), each)
            yield "brackets", f"with other brackets: `{text(other)}`", other


def factors_of(node):
    """a · b · c -> [a, b, c]."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return factors_of(node.left) + factors_of(node.right)
    return [node]


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
        if any(each.arg == "keepdims" for each in node.keywords):
            rest = [each for each in node.keywords if each.arg != "keepdims"]
            yield ("axis", f"without keepdims=True in `{text(node)}`",
                   ast.Call(function, node.args, rest))
        for index, which in ((0, "first"), (-1, "last")):
            axis = next((each.value for each in node.keywords if each.arg == "axis"), None)
            if axis is not None:
                yield "sum", f"with only the {which} entry in `{text(node)}`", ast.Call(
                    ast.Attribute(function.value, "take", ast.Load()),
                    [ast.Constant(index), axis], [])
        yield "sum", f"without the {function.attr} in `{text(node)}`", function.value
    elif isinstance(function, ast.Attribute) and function.attr in (
            "reshape", "swapaxes", "transpose"):
        yield "transposed", f"without {function.attr} in `{text(node)}`", function.value
    if text(function) == "np.where" and len(node.args) == 3:
        condition, first, second = node.args
        yield "comparison", f"with {text(first)} and {text(second)} interchanged", ast.Call(
            function, [condition, second, first], [])
    if text(function) == "np.arange" and is_difference(node.args[0]):
        end, start = node.args[0].left, node.args[0].right
        yield "sum", f"when one counts from {text(start)} on, and not from 0", ast.Call(
            function, [start, end], [])
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield "function", f"without {text(function)}", node.args[0]
    if len(node.args) > 1 and not isinstance(function, ast.Attribute):
        yield "order", f"with the arguments of {text(function)} interchanged", ast.Call(
            function, [node.args[1], node.args[0], *node.args[2:]], node.keywords)


def is_difference(node):
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def is_transpose(node):
    return text(node).endswith((".T", ".swapaxes(-1, -2)"))


def transpose(node):
    """The node with its last two axes swapped, or swapped back."""
    if is_transpose(node):
        return node.value if isinstance(node, ast.Attribute) else node.func.value
    return ast.Call(ast.Attribute(node, "swapaxes", ast.Load()),
                    [ast.Constant(-1), ast.Constant(-2)], [])


def text(node):
    return ast.unparse(node)
