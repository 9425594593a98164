"""Whether the shapes that comments, docstrings and tables tell are measured ones."""

import ast
import re

from cut import TwinError
from npgpt.checking.statements import parts

SHAPE_COMMENT = re.compile(r"# (\([^()]*\))(?:,? [^()#]*)?$")
NAMED_SHAPE = re.compile(r"(\w+(?:(?:, | and )\w+)*)\s+(\([^()]*\))")
KEYED_SHAPE = re.compile(r'"(\w+)": (\([^()]*\))')


def shape_of(value):
    if isinstance(value, float):
        return ()
    return tuple(value.shape) if hasattr(value, "dtype") else None


def read_shape(text):
    """"(B, T, 3C)" -> ["B", "T", "3C"], or None where it is other words."""
    dims = [part.strip() for part in text.strip("()").split(",") if part.strip()]
    good = re.compile(r"\.\.\.|\d+|\d*[A-Zr]|(?:\d+·)?[A-Z](?:·[A-Z])+")
    return dims if all(good.fullmatch(dim) for dim in dims) else None


def fits(shape, dims, sizes):
    """Whether `shape` is `dims`, given and extending the sizes known so far."""
    found, shape = dict(sizes), list(shape)
    if "..." in dims:
        at = dims.index("...")
        after = len(dims) - at - 1
        if len(shape) < at + after:
            return False
        middle = tuple(shape[at : len(shape) - after])
        if found.setdefault("...", middle) != middle:
            return False
        shape = shape[:at] + shape[len(shape) - after :]
        dims = [dim for dim in dims if dim != "..."]
    if len(shape) != len(dims):
        return False
    for size, dim in zip(shape, dims):
        if dim.isdigit():
            if size != int(dim):
                return False
            continue
        number = int(re.match(r"\d*", dim)[0] or 1)
        names = re.findall(r"[A-Zr]", dim)
        for name in [a for a in names if a in found]:
            number *= found[name]
        unknown = [a for a in names if a not in found]
        if not unknown:
            if size != number:
                return False
        elif len(unknown) == 1:
            if number == 0 or size % number:
                return False
            found[unknown[0]] = size // number
    sizes.update(found)
    return True


def check_shapes(excerpt, sizes):
    """Every shape in the docstring and in a comment is the measured one."""
    doc = ast.get_docstring(excerpt.tree) or ""
    final = {name: value for line in sorted(excerpt.records)
             for name, value in excerpt.records[line].items()}
    doc_line = excerpt.tree.body[0].lineno
    output = excerpt.result if isinstance(excerpt.result, dict) else None
    if isinstance(excerpt.result, tuple) and isinstance(excerpt.result[-1], dict):
        output = excerpt.result[-1]
    claims = []
    for names, shape in NAMED_SHAPE.findall(doc):
        for name in re.split(r", | and ", names):
            value = excerpt.args[name] if name in excerpt.args else final.get(name)
            claims.append((name, value, shape))
    for key, shape in KEYED_SHAPE.findall(doc):
        claims.append((f'"{key}"', (output or {}).get(key), shape))
    for name, value, shape in claims:
        claim(excerpt, doc_line, "the docstring", name, value, shape, sizes)
    for node in ast.walk(excerpt.tree):
        if not isinstance(node, ast.stmt) or node.lineno not in excerpt.records:
            continue
        for line in range(node.lineno, node.end_lineno + 1):
            match = SHAPE_COMMENT.search(excerpt.lines[line - excerpt.first])
            if not match:
                continue
            filled = [name for name, _ in parts(node)]
            for name, value in excerpt.records[node.lineno].items():
                if filled and name not in filled:
                    continue
                each = value if isinstance(value, list) else [value]
                for part in each:
                    claim(excerpt, line, "the comment", name, part, match[1], sizes)


def claim(excerpt, line, who, name, value, text, sizes):
    dims, shape = read_shape(text), shape_of(value)
    if dims is None or shape is None:
        return
    known = dict(sizes)
    if not fits(shape, dims, sizes):
        names = re.findall(r"[A-Zr]|\.\.\.", text)
        said = ", ".join(f"{a} = {known[a]}" for a in dict.fromkeys(names) if a in known)
        raise TwinError(
            f"{excerpt.at(line)}: {who} says that {name} is {text}"
            f"{f' with {said}' if said else ''}, but it is {shape}"
        )
