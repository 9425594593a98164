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
    good = re.compile(r"\.\.\.|\d+|\d*[A-Z]|(?:\d+·)?[A-Z](?:·[A-Z])+")
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
        letters = re.findall(r"[A-Z]", dim)
        for letter in [a for a in letters if a in found]:
            number *= found[letter]
        unknown = [a for a in letters if a not in found]
        if not unknown:
            if size != number:
                return False
        elif len(unknown) == 1:
            if number == 0 or size % number:
                return False
            found[unknown[0]] = size // number
    sizes.update(found)
    return True


def check_shapes(half, sizes):
    """Every shape in the docstring and in a comment is the measured one."""
    doc = ast.get_docstring(half.tree) or ""
    final = {name: value for line in sorted(half.records)
             for name, value in half.records[line].items()}
    doc_line = half.tree.body[0].lineno
    output = half.result if isinstance(half.result, dict) else None
    if isinstance(half.result, tuple) and isinstance(half.result[-1], dict):
        output = half.result[-1]
    claims = []
    for names, shape in NAMED_SHAPE.findall(doc):
        for name in re.split(r", | and ", names):
            value = half.args[name] if name in half.args else final.get(name)
            claims.append((name, value, shape))
    for key, shape in KEYED_SHAPE.findall(doc):
        claims.append((f'"{key}"', (output or {}).get(key), shape))
    for name, value, shape in claims:
        claim(half, doc_line, "the docstring", name, value, shape, sizes)
    for node in ast.walk(half.tree):
        if not isinstance(node, ast.stmt) or node.lineno not in half.records:
            continue
        for line in range(node.lineno, node.end_lineno + 1):
            match = SHAPE_COMMENT.search(half.lines[line - half.first])
            if not match:
                continue
            filled = [name for name, _ in parts(node)]
            for name, value in half.records[node.lineno].items():
                if filled and name not in filled:
                    continue
                each = value if isinstance(value, list) else [value]
                for part in each:
                    claim(half, line, "the comment", name, part, match[1], sizes)


def claim(half, line, who, name, value, text, sizes):
    dims, shape = read_shape(text), shape_of(value)
    if dims is None or shape is None:
        return
    known = dict(sizes)
    if not fits(shape, dims, sizes):
        letters = re.findall(r"[A-Z]|\.\.\.", text)
        said = ", ".join(f"{a} = {known[a]}" for a in dict.fromkeys(letters) if a in known)
        raise TwinError(
            f"{half.at(line)}: {who} says that {name} is {text}"
            f"{f' with {said}' if said else ''}, but it is {shape}"
        )
