"""A run on a text file goes on although the file is cut and joined otherwise today."""

import functools
import random

import pytest

from npgpt.runs import data
from npgpt.text import load_corpus

pytestmark = pytest.mark.usefixtures("no_pictures")
SIZES = ["--layers", 1, "--heads", 1, "--channels", 8, "--context-length", 8]
VERSES = random.Random(6).choices([f"verse {i} of a song that goes on for long" for i in range(30)],
                                  k=300)


@pytest.mark.parametrize("text", [
    "".join(f"name{i * 7919 % 1009}\n" for i in range(900)),
    "".join(random.Random(5).choices("ACGT", k=9000)),
    "\n\n".join(VERSES),
])
def test_it_goes_on_with_the_text_it_was_given(tmp_path, npgpt, monkeypatch, text):
    corpus, out = tmp_path / "text.txt", tmp_path / "run"
    corpus.write_text(text)
    line = ["train", "--out", out, "--steps", 2, "--save-every", 1]

    def as_before(name, **options):
        return load_corpus(name, **{**options, "earlier": True})

    with monkeypatch.context() as patch:
        patch.setattr(data, "load_corpus", functools.wraps(load_corpus)(as_before))
        assert npgpt(*line, "--corpus", corpus, *SIZES)[0] == 0
    before = load_corpus(corpus, earlier=True)
    assert before.train_text != load_corpus(corpus).train_text
    status, _, error = npgpt("train", "--out", out, "--resume", "--steps", 3)
    assert status == 0, error
    corpus.write_text(text + "changed\n")
    status, _, error = npgpt("train", "--out", out, "--resume", "--steps", 4)
    assert status == 2 and "is not the one that" in error
