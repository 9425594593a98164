"""npgpt learn words, as a command."""

import json

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.runs.lessons import words as lesson


@pytest.mark.acceptance
@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
def test_figures_picture_and_vectors(method, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lesson, "SENTENCES", 3000)
    out = tmp_path / "words"
    assert main(["learn", "words", "--method", method, "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((out / "words.json").read_text()) | {"picture": found["picture"]}
    assert (out / "words.png").read_bytes()[:4] == b"\x89PNG"
    assert found["method"] == method
    assert set(found["accuracy"]) == set(found["baselines"]["counts"])
    keyed = pytest.importorskip("gensim.models.keyedvectors")
    vectors = keyed.KeyedVectors.load_word2vec_format(str(out / "vectors.txt"))
    assert vectors.vectors.shape == (found["words"], found["channels"])
    (said, cosine), *_ = found["nearest"]["king"]
    assert np.isclose(vectors.similarity("king", said), cosine, atol=1e-4)


@pytest.mark.acceptance
def test_in_plain_words(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lesson, "SENTENCES", 3000)
    assert main(["learn", "words", "--out", str(tmp_path / "words")]) == 0
    said = capsys.readouterr()
    assert "king − man + woman lies nearest to" in said.out
    assert "learning" in said.err and "%" in said.err


def test_another_method_is_refused(tmp_path, capsys):
    assert main(["learn", "words", "--method", "bag", "--out", str(tmp_path / "words")]) == 2
    said = capsys.readouterr()
    assert said.err.strip() == ("error: --method bag is neither of skip-gram, cbow: give one of"
                                " them")
    assert not (tmp_path / "words").exists()
