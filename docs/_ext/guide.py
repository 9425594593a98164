"""`{guide}`: a survival guide in two columns, NumPy and PyTorch, every line executed.

Rows are parted by empty lines:

    # what it is about
    np.ones(3)
    | torch.ones(3)
    ! dtype: why the two results differ
    > a remark

Both sides run while the page is built, each row from a fresh start: `np`, `torch`, and
what stands above a line `---`, in the same form. The last line of a side is an expression,
its result. Two results differ in

    error   one raises, or both raise something else
    kind    an array beside a plain Python value
    shape   the shapes, or the lengths of lists
    dtype   the dtypes
    value   the numbers, beyond rounding

Each difference needs its note `! kind: …`, and each note its difference; else the build fails.
"""

import ast
import contextlib
import io
import re
import textwrap
import warnings
from dataclasses import dataclass, field
from html import escape

import numpy as np
import torch
from block import Block
from highlight import plain_code
from sphinx.errors import ExtensionError

KINDS = ("error", "kind", "shape", "dtype", "value")
ROUNDING = 32  # units in the last place of the coarser of two dtypes


class GuideError(Exception):
    pass


@dataclass
class Row:
    line: int
    title: str = ""
    numpy: list = field(default_factory=list)
    torch: list = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    remarks: list = field(default_factory=list)


def rows_of(lines, first=0):
    """-> the set-up's row, [row, …]. GuideError for a line that cannot be understood."""
    rows, setup, row = [], None, None
    for at, line in enumerate([*lines, ""], first):
        if line.strip() == "---":
            if rows or setup or row is None:
                raise GuideError(f"line {at}: --- stands once, below the set-up")
            setup, row = row, None
        elif not line.strip():
            if row is not None:
                rows.append(row)
            row = None
        else:
            row = row or Row(at)
            add(row, line, at)
    for each in rows:
        if not each.numpy or not each.torch:
            raise GuideError(f"line {each.line}: a row is NumPy and, after |, PyTorch")
    return setup or Row(first), rows


def add(row, line, at):
    if line.startswith("# "):
        row.title = line[2:]
    elif line.startswith("|"):
        row.torch.append(line[2:])
    elif line.startswith("! "):
        match = re.match(r"! ([\w, ]+): (.+)", line)
        kinds = [kind.strip() for kind in match[1].split(",")] if match else [""]
        if set(kinds) - set(KINDS):
            raise GuideError(f"line {at}: a note is `! KIND: words`, KIND of {', '.join(KINDS)}")
        row.notes.update(dict.fromkeys(kinds, match[2]))
    elif line.startswith("> "):
        row.remarks.append(line[2:])
    else:
        row.numpy.append(line)


def result(code, given=()):
    """What the last line of `code` gives after the lines `given`: a value, or an exception."""
    space = {"np": np, "torch": torch, "__name__": "__guide__"}
    exec("\n".join(given), space)
    tree = ast.parse("\n".join(code))
    if not isinstance(tree.body[-1], ast.Expr):
        raise GuideError(f"the last line is no expression: {code[-1]}")
    last = ast.Expression(tree.body.pop().value)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            exec(compile(tree, "guide", "exec"), space)
            return eval(compile(last, "guide", "eval"), space)
        except Exception as error:
            return error


def is_array(value):
    return isinstance(value, (np.ndarray, np.generic, torch.Tensor))


def dtype_of(value):
    return str(value.dtype).removeprefix("torch.")


def numbers(value):
    if isinstance(value, torch.Tensor):
        value = value.detach()
        value = (value.double() if value.dtype == torch.bfloat16 else value).numpy()
    return np.asarray(value)


def differences(a, b):
    """The kinds in which two results differ, a set of KINDS."""
    if isinstance(a, Exception) or isinstance(b, Exception):
        return {"error"} if type(a) is not type(b) else set()
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        if len(a) != len(b):
            return {"shape"}
        return set().union(*(differences(x, y) for x, y in zip(a, b)))
    if isinstance(a, dict) and isinstance(b, dict):
        if list(a) != list(b):
            return {"value"}
        return differences([*a.values()], [*b.values()])
    if is_array(a) != is_array(b):
        return {"kind"} | ({"value"} if not is_array(a) and not is_array(b) and a != b else set())
    if not is_array(a):
        same = a == b or (a != a and b != b)
        return ({"kind"} if type(a) is not type(b) else set()) | (set() if same else {"value"})
    found = {"dtype"} if dtype_of(a) != dtype_of(b) else set()
    if tuple(a.shape) != tuple(b.shape):
        return found | {"shape"}
    return found | (set() if equal(a, b) else {"value"})


def equal(a, b):
    """Whether two arrays of one shape hold the same numbers, up to rounding."""
    ours, theirs = numbers(a), numbers(b)
    if not ours.size:
        return True
    units = [torch.finfo(getattr(torch, dtype_of(x))).eps for x in (a, b)
             if dtype_of(x).startswith(("float", "bfloat"))]
    if not units:
        return bool(np.array_equal(ours, theirs))
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    sizes = np.abs(np.concatenate([ours.ravel(), theirs.ravel()]))
    largest = sizes[np.isfinite(sizes)].max(initial=0.0)
    return bool(np.allclose(ours, theirs, rtol=0, atol=ROUNDING * max(units) * largest,
                            equal_nan=True))


def run_row(row, setup):
    """-> both results; GuideError where the notes are not the differences."""
    ours = result(row.numpy, setup.numpy)
    theirs = result(row.torch, setup.torch)
    found = differences(ours, theirs)
    lines = f"`{'; '.join(row.numpy)}` gives {one_line(ours)}, " \
            f"`{'; '.join(row.torch)}` gives {one_line(theirs)}"
    if missing := [kind for kind in KINDS if kind in found - set(row.notes)]:
        raise GuideError(f"the {' and '.join(missing)} differs without a note: {lines}")
    if extra := [kind for kind in KINDS if kind in set(row.notes) - found]:
        raise GuideError(f"a note tells of the {' and '.join(extra)}, which does not differ: "
                         f"{lines}")
    return ours, theirs


def one_line(value):
    text = " ".join(words(value).split())
    return text if len(text) < 100 else text[:99] + "…"


def words(value):
    """A result as the page prints it."""
    if isinstance(value, Exception):
        first = str(value).strip().split("\n")[0]
        first = first if len(first) <= 110 else first[:109] + "…"
        return f"{type(value).__name__}: {first}"
    with np.printoptions(precision=4, suppress=True, linewidth=60):
        torch.set_printoptions(precision=4, sci_mode=False, linewidth=60)
        try:
            return repr(value)
        finally:
            torch.set_printoptions(profile="default")


def fact(value):
    """(2, 3) float64"""
    return f"{tuple(value.shape)} {dtype_of(value)}" if is_array(value) else ""


class Guide(Block):
    def run(self):
        source, first = self.get_source_info()
        try:
            setup, rows = rows_of(list(self.content), first + 1)
        except GuideError as error:
            raise ExtensionError(f"{source}: {error}") from error
        out = [self.side_by_side(setup, "given")] if setup.numpy or setup.torch else []
        for row in rows:
            where = f"{source}:{row.line}: {row.title or row.numpy[0]}"
            try:
                ours, theirs = run_row(row, setup)
            except GuideError as error:
                raise ExtensionError(f"{where}: {error}") from error
            except Exception as error:
                raise ExtensionError(f"{where}: the row does not run: {error!r}") from error
            out.append(self.side_by_side(row, "row", (ours, theirs)))
        return [self.html(f'<div class="guide">{"".join(out)}</div>')]

    def side_by_side(self, row, kind, results=None):
        title = row.title or ("Given on both sides" if kind == "given" else "")
        parts = [f'<h3>{self.inline(title)}</h3>'] if title else []
        notes = dict.fromkeys(row.notes.values())
        for side, name, code, value in (
                ("np", "NumPy", row.numpy, results and results[0]),
                ("pt", "PyTorch", row.torch, results and results[1])):
            lines = "".join(f'<div class="ln"><code>{text}</code></div>' for text in
                            plain_code(textwrap.dedent("\n".join(code))))
            result_html = ""
            if results:
                error = " fails" if isinstance(value, Exception) else ""
                facts = f'<span class="fact">{escape(fact(value))}</span>' if fact(value) else ""
                result_html = (f'<pre class="out{error}" tabindex="0">{escape(words(value))}'
                               f"</pre>{facts}")
            parts.append(f'<div class="side {side}"><span class="sq {side}" title="{name}"></span>'
                         f'<div class="code">{lines}</div>{result_html}</div>')
        said = [f"<p><b>{', '.join(k for k in KINDS if row.notes.get(k) == text)}</b> "
                f"{self.inline(text)}</p>" for text in notes]
        if results and not notes:
            said.append("<p><b class='same'>same</b></p>")
        if row.remarks:
            said.append(f"<p>{self.inline(' '.join(row.remarks))}</p>")
        if said:
            parts.append(f'<div class="told">{"".join(said)}</div>')
        return f'<div class="{kind}">{"".join(parts)}</div>'


SIDE_BY_SIDE = """\
import ast
import warnings

import numpy as np
import torch

warnings.simplefilter("ignore")


def result(code):
    tree, space = ast.parse(code), {"np": np, "torch": torch}
    last = ast.Expression(tree.body.pop().value)
    try:
        exec(compile(tree, "code", "exec"), space)
        return repr(eval(compile(last, "code", "eval"), space))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def side_by_side(numpy_code, torch_code):
    print("NumPy  ", result(given[0] + numpy_code))
    print("PyTorch", result(given[1] + torch_code))"""


def notebook_cells(lines):
    """The rows as cells of a notebook, each with its title and its words."""
    setup, rows = rows_of(lines)
    yield SIDE_BY_SIDE
    before = ["\n".join(code).strip() + "\n" for code in (setup.numpy, setup.torch)]
    yield f'given = """\n{before[0]}""", """\n{before[1]}"""'
    for row in rows:
        told = [*dict.fromkeys(row.notes.values()), *row.remarks]
        comment = textwrap.wrap(". ".join([row.title.strip("… ").capitalize(), *told]), 90)
        yield "\n".join([*(f"# {line}" for line in comment), 'side_by_side("""',
                         *row.numpy, '""", """', *row.torch, '""")'])


def setup(app):
    app.add_directive("guide", Guide)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
