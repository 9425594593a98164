"""A file of which some functions are to be written: their labels and the names to find stay."""

import ast
import re

LABEL = re.compile(r"\s*# \(\d+(?:, \d+)*\) ")


def left_out(source: str, functions: tuple[str, ...], begins: str) -> str:
    """A file's text; of these functions only what stands before the first label is left, the
    labels, and the names to find, which begin like this."""
    lines = source.splitlines()
    for node in ast.parse(source).body[::-1]:
        if isinstance(node, ast.FunctionDef) and node.name in functions:
            lines = without_body(lines, node, begins)
    return "\n".join(lines).rstrip() + "\n"


def without_body(lines: list[str], function: ast.FunctionDef, begins: str) -> list[str]:
    """The file's lines, without those of one function."""
    rest = []
    after_docstring, end = last_line(function.body[0]), last_line(function)
    labels = [i for i in range(after_docstring, end) if LABEL.match(lines[i])]
    for i in range(after_docstring, end):
        if not labels or i < labels[0]:
            rest.append(lines[i])
        elif i in labels:
            rest += [lines[i], *hints(lines, i, function.body[1:], begins)]
            if open_loop(lines, labels, i):
                rest.append(indent_of(lines[i]) + "pass")
    returned = function.body[-1]
    rest += [f"    # {line.strip()}" for line in lines[returned.lineno - 1 : last_line(returned)]]
    rest.append("    raise NotImplementedError")
    return lines[:after_docstring] + rest + lines[end:]


def open_loop(lines: list[str], labels: list[int], label: int) -> bool:
    """Whether this label is the last in a loop of which only the head is left."""
    code = [line for line in lines[: labels[0]] if line.partition("#")[0].strip()]
    later = [lines[i] for i in labels if i > label]
    inside = len(indent_of(lines[labels[0]]))
    return (code[-1].partition("#")[0].rstrip().endswith(":")
            and len(indent_of(lines[label])) >= inside
            and all(len(indent_of(line)) < inside for line in later))


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def hints(lines: list[str], label: int, body: list[ast.stmt], begins: str) -> list[str]:
    """What a step has to find, as comments, with the shapes where the source gives them."""
    end = next((i for i in range(label + 1, len(lines)) if LABEL.match(lines[i])), len(lines))
    found: dict[str, str] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign | ast.AugAssign) and label < node.lineno - 1 < end:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = ", ".join(dict.fromkeys(
                    name for target in targets for name in written(target)
                    if name.startswith(begins)))
                shape = re.search(r"# (\(.*)$", lines[last_line(node) - 1])
                if names and (shape or names not in found):
                    found[names] = f"  {shape[1]}" if shape else ""
    indent = indent_of(lines[label])
    return [f"{indent}#     find {names}{shape}" for names, shape in found.items()]


def written(target: ast.expr) -> list[str]:
    """What an assignment writes: `x` of `x[row, at:end]`, `x["a"]` of `x["a"][row]`."""
    if isinstance(target, ast.Tuple):
        return [name for each in target.elts for name in written(each)]
    while isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant):
        target = target.value
    return [ast.unparse(target).replace("'", '"')]
