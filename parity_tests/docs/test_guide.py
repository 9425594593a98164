"""The survival guide: every line runs, and no difference goes untold."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

pytest.importorskip("docutils", reason="pip install -e '.[docs]'")

from guide import GuideError, differences, equal, notebook_cells, rows_of, run_row  # noqa: E402

PAGE = DOCS / "survival_guide.md"
TABLES = re.findall(r"^```\{guide\}\n(.*?)\n```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
TOPICS = {  # what the page must say something about: a pattern in some row's code
    "creation": r"torch\.zeros", "dtypes": r"\.astype", "views": r"\.view\(", "in place": r"\+= 1",
    "reshape": r"\.reshape", "axis, dim": r"dim=", "broadcasting": r"expand", "reductions": r"std",
    "indexing": r"\.gather", "integer division": r"// 2", "matmul": r"@", "random": r"manual_seed",
    "autograd": r"\.backward", "no_grad": r"no_grad", "detach": r"\.detach", "zero_grad":
    r"zero_grad", "train, eval": r"\.eval\(\)", "Module": r"nn\.Module", "the loop":
    r"optimizer\.step", "an empty tuple": r"dim=\(\)", "overflow": r"uint8", "ties": r"argmax",
    "repeat": r"repeat_interleave", "sharing": r"from_numpy"}


def one(text):
    setup, rows = rows_of(text.split("\n"))
    assert len(rows) == 1
    return run_row(rows[0], setup)


@pytest.mark.parametrize("table", [
    pytest.param(table, id=table.split("\n")[0],
                 marks=[pytest.mark.acceptance] if "torch.optim" in table else [])  # slow to load
    for table in TABLES])
def test_every_line_of_the_page(table):
    setup, rows = rows_of(table.split("\n"))
    for row in rows:
        run_row(row, setup)
        assert row.title, row.numpy


def test_the_page_speaks_of_everything():
    rows = [row for table in TABLES for row in rows_of(table.split("\n"))[1]]
    assert len(rows) >= 100
    code = "\n".join("\n".join([*row.numpy, *row.torch]) for row in rows)
    assert [topic for topic, pattern in TOPICS.items() if not re.search(pattern, code)] == []


UNTOLD = {
    "dtype": "np.ones(2)\n| torch.ones(2)",
    "value": "np.array([1, 2])\n| torch.tensor([1, 3])",
    "shape": "np.ones(2, np.float32)\n| torch.ones(2, 1)",
    "kind": "np.int64(2)\n| 2",
    "error": "np.ones(3)[::-1]\n| torch.ones(3, dtype=torch.float64)[::-1]",
}


@pytest.mark.parametrize("kind", UNTOLD)
def test_a_difference_without_a_note(kind):
    with pytest.raises(GuideError, match=f"the {kind} differs without a note"):
        one(UNTOLD[kind])
    one(f"{UNTOLD[kind]}\n! {kind}: told")
    with pytest.raises(GuideError, match=f"{kind} differs without a note"):
        one(f"{UNTOLD[kind]}\n> a remark is no note")


def test_a_note_of_another_difference_does_not_do():
    with pytest.raises(GuideError, match="the value differs without a note"):
        one("np.ones(2)\n| torch.zeros(2)\n! dtype: told")


def test_a_note_without_its_difference():
    with pytest.raises(GuideError, match="a note tells of the dtype, which does not differ"):
        one("np.arange(3)\n| torch.arange(3)\n! dtype: 64 and 32 bits")


@pytest.mark.parametrize("a, b, kinds", [
    (np.float32([1, 2]), torch.tensor([1.0, 2]), set()),
    (np.float32(1), torch.tensor(1.0), set()),
    (np.float32([np.nan]), torch.tensor([torch.nan]), set()),
    (np.float32([np.nan]), torch.tensor([1.0]), {"value"}),
    (np.float32([np.inf]), torch.tensor([-torch.inf]), {"value"}),
    (np.float32([1 / 3]), torch.tensor([1 / 3]) + 1e-4, {"value"}),
    (np.array([True]), torch.tensor([True]), set()),
    (np.ones((0, 2), np.float32), torch.ones(0, 2), set()),
    (np.ones(2, np.float32), torch.ones(2, dtype=torch.bfloat16), {"dtype"}),
    ((1, "a"), [1, "a"], set()), ((1, 2), (1, 2, 3), {"shape"}), ((1, 2), (1, 3), {"value"}),
    ({"a": 1}, {"a": 2}, {"value"}), ({"a": 1}, {"b": 1}, {"value"}), (None, None, set()),
    (1, 1.0, {"kind"}), (True, False, {"value"}), (ValueError(), ValueError("x"), set()),
    (ValueError(), RuntimeError(), {"error"}), (ValueError(), 1, {"error"}),
    ([np.ones(2), 1], [torch.ones(2), 2], {"dtype", "value"}),
])
def test_differences(a, b, kinds):
    assert differences(a, b) == kinds
    assert differences(b, a) == kinds


def test_rounding_is_no_difference():
    third = np.float64([1 / 3])
    assert equal(third.astype(np.float32), torch.from_numpy(third))
    assert not equal(third, torch.from_numpy(third * (1 + 1e-12)))


def test_rows_do_not_know_one_another():
    setup, rows = rows_of(["x = [1]", "| x = [1]", "---", "x.append(2)", "len(x)",
                           "| x.append(2)", "| len(x)", "", "len(x)", "| len(x)"])
    assert [run_row(row, setup) for row in rows] == [(2, 2), (1, 1)]


@pytest.mark.parametrize("text, words", [
    ("np.ones(2)", "NumPy and, after"), ("| torch.ones(2)", "NumPy and, after"),
    ("1\n| 1\n! colour: red", "a note is"), ("1\n| 1\n! without a kind", "a note is"),
    ("1\n| 1\n\n---\n1\n| 1", "--- stands once"), ("x = 1\n| 1", "no expression"),
])
def test_what_cannot_be_understood(text, words):
    with pytest.raises(GuideError, match=words):
        one(text)


def test_cells_of_a_notebook(capsys):
    space = {}
    for cell in notebook_cells(["x = 2", "| x = 3", "---", "# twice", "2 * x", "| 2 * x",
                                "! value: told", "", "x / 0", "| x / 0"]):
        exec(cell, space)
    assert capsys.readouterr().out.split("\n")[:4] == [
        "NumPy   4", "PyTorch 6", "NumPy   ZeroDivisionError: division by zero",
        "PyTorch ZeroDivisionError: division by zero"]


@pytest.mark.acceptance
def test_the_build_stops(tmp_path):
    """A difference without its note, in a page: the book does not build, and says where."""
    source = tmp_path / "source"
    source.mkdir()
    for note, built in (("\n! dtype: 64 bits and 32.", True), ("", False)):
        (source / "index.md").write_text(
            f"# A page\n\n```{{guide}}\n# ones\nnp.ones(2)\n| torch.ones(2){note}\n```\n")
        done = subprocess.run(
            [sys.executable, "-m", "sphinx", "-q", "-W", "-E", "-c", str(DOCS), "-b", "html",
             "-d", str(tmp_path / "trees"), str(source), str(tmp_path / "html")],
            capture_output=True, text=True, env={"PATH": "", "PYTHONPATH": str(ROOT)})
        assert (done.returncode == 0) == built, done.stderr
    assert "index.md:4: ones: the dtype differs without a note" in done.stderr
