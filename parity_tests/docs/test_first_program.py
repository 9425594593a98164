"""The first program: each of its six files runs, and each mends what the one before gets wrong."""

import json
import os
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

pytest.importorskip("docutils", reason="pip install -e '.[docs]'")

from grown import compared, lines_of, run_program, steps  # noqa: E402

FILES = steps("first_program")
TEXTS = ["The dog bit the man.\nThe man did not bite  the dog.", "", " ", "don’t  stop\t\r\n…",
         "naïve 東京 3.14 <unk> a_b", "\U0001f600\u0301x"]


@pytest.fixture(scope="module")
def programs():
    return [runpy.run_path(str(file)) for file in FILES]


def test_there_are_six_small_ones():
    assert [file.stem[:6] for file in FILES] == [f"step_{i}" for i in range(1, 7)]
    counts = [len(lines_of(file)) for file in FILES]
    assert max(counts) <= 61


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_runs(file):
    assert f"the text again? {' False' if '_1_' in file.stem else ''}" in run_program(file)[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_uses_python_alone(file):
    words = {line.split()[1] for line in lines_of(file) if line.startswith(("import ", "from "))}
    assert words <= {"re", "json", "collections", "pathlib", "tempfile"}


def test_step_1_loses_spaces(programs):
    assert programs[0]["cut"]("a  b.\n") == ["a", "b."]


@pytest.mark.parametrize("text", TEXTS)
def test_from_step_2_on_nothing_is_lost(programs, text):
    for program in programs[1:]:
        assert "".join(program["cut"](text)) == text


def test_step_3_fails_where_step_4_does_not(programs):
    new = "The cat bit the dog."
    with pytest.raises(KeyError, match="cat"):
        programs[2]["encode"](new)
    assert programs[3]["decode"](programs[3]["encode"](new)) == "The <unk> bit the dog."


def test_no_text_makes_the_special_token(programs):
    for program in programs[3:]:
        assert program["UNKNOWN"] not in program["cut"]("a <unk> b")


@pytest.mark.parametrize("step", [5, 6])
def test_the_class(programs, step):
    Tokenizer = programs[step - 1]["Tokenizer"]
    tokenizer = Tokenizer.train("b b a c c c")
    assert tokenizer.pieces == ["<unk>", " ", "c", "b", "a"]
    assert tokenizer.decode(tokenizer.encode("a b c d")) == "a b c <unk>"
    assert Tokenizer.train("b b a c c c", 3).pieces == ["<unk>", " ", "c"]
    for text in TEXTS:
        trained = Tokenizer.train(text)
        assert trained.decode(trained.encode(text)) == text


def test_the_file(programs, tmp_path):
    Tokenizer = programs[5]["Tokenizer"]
    for i, text in enumerate(TEXTS):
        tokenizer = Tokenizer.train(text)
        tokenizer.save(tmp_path / f"{i}.json")
        again = Tokenizer.load(tmp_path / f"{i}.json")
        assert again.pieces == tokenizer.pieces and again.encode(text) == tokenizer.encode(text)
    assert "東京" in (tmp_path / "4.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("pieces", [[], ["a"], ["<unk>", "a", "a"]])
def test_a_file_that_is_no_vocabulary(programs, tmp_path, pieces):
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps({"pieces": pieces}))
    with pytest.raises(ValueError, match="stands once"):
        programs[5]["Tokenizer"].load(file)


def test_as_the_package_cuts(programs):
    """The package's words and those of the last step are the same ones on plain text."""
    from npgpt.text import WordTokenizer

    text = "The dog bit the man. The man did not bite  the dog.\n"
    ours = WordTokenizer.train(text).words
    assert ours == programs[5]["Tokenizer"].train(text).pieces[1:]


def test_what_is_new_in_a_step():
    old, new = ["a", "b", "c"], ["a", "x", "c", "d"]
    assert list(compared(old, new)) == [
        ("same", 0), ("gone", 1), ("new", 1), ("same", 2), ("new", 3)]
    for before, after in pairwise(FILES):
        kinds = [kind for kind, _ in compared(lines_of(before), lines_of(after))]
        assert kinds.count("same") + kinds.count("new") == len(lines_of(after))
        assert kinds.count("same") + kinds.count("gone") == len(lines_of(before))


@pytest.mark.acceptance
def test_each_runs_by_itself_and_says_the_same_in_every_process():
    for file in FILES:
        said = {subprocess.run([sys.executable, str(file)], capture_output=True, text=True,
                               check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
                for seed in "12"}
        assert said == {run_program(file)[0] + "\n"}
