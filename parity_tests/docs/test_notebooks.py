"""The notebooks are the chapters: made from the same sources, and every cell runs."""

import json
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance  # making them takes half a minute
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))


@pytest.fixture(scope="module")
def made():
    import notebooks

    return notebooks.made()


def test_each_part_has_one_that_is_valid(made):
    import nbformat

    assert len(made) >= 3
    for text in made.values():
        nbformat.validate(nbformat.reads(text, as_version=4))
        assert not re.search(r"\\[vd]\{\w+\}|:::|```\{", text), "markup of the book is left over"


def test_cells_hold_the_source(made):
    layers = next(text for path, text in made.items() if path.stem == "11_building_it")
    code = ["".join(cell["source"]) for cell in json.loads(layers)["cells"]
            if cell["cell_type"] == "code"]
    assert any("np.sqrt(variance + float(eps))" in text for text in code)
    assert any("torch.rsqrt(variance + eps)" in text for text in code)


def test_those_in_the_repository_are_these(made):
    for path, text in made.items():
        assert path.exists() and path.read_text(encoding="utf-8") == text, (
            f"{path.name} is out of date: npgpt book --no-open makes it anew")


def test_every_cell_runs(made):
    import nbformat
    from nbclient import NotebookClient

    for text in made.values():
        notebook = nbformat.reads(text, as_version=4)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
