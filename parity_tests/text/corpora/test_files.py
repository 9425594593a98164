"""A text file is learned as it is; what is advised where it cannot be read is typed here."""

import gzip
import random
import re
import shutil
import subprocess

import pytest

from npgpt.cli.main import main
from npgpt.errors import InputError
from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.corpora.files import cut_into_documents
from npgpt.text.prepare.split import split_key

DRAW = random.Random(11)


WORDS = ["salt", "river", "goes", "under", "old", "bridge", "at", "night", "with", "two", "boats"]


def words(count):
    return " ".join(DRAW.choices(WORDS, k=count))


@pytest.mark.parametrize("text", [
    "".join(f"{words(1)}{i}\n" for i in range(2000)),
    "".join(DRAW.choice("ACGT") for _ in range(50_000)),
    "\n\n".join(words(30) for _ in range(200)) + "\n\n",
    "\n".join(words(9) for _ in range(900)),
])
def test_what_is_learned_is_what_the_file_holds(tmp_path, text):
    (tmp_path / "file.txt").write_text(text)
    corpus = load_corpus(tmp_path / "file.txt")
    assert corpus.text == text and corpus.validation
    for gap in ("\n\n", "\n"):
        if gap not in text:
            assert gap not in corpus.train_text + corpus.validation_text


@pytest.mark.parametrize("between", ["\n\n", "\n"])
def test_no_copy_of_a_paragraph_is_held_out_while_another_is_trained_on(tmp_path, between):
    """Of 30 paragraphs, each there many times, about a tenth is held out."""
    kinds = [f"{words(25)} {i}." for i in range(30)]
    text = between.join(DRAW.choice(kinds) for _ in range(700))
    (tmp_path / "file.txt").write_text(text)
    corpus = load_corpus(tmp_path / "file.txt")
    assert corpus.text == text
    train, validation = (
        set(part.split(between)) for part in (corpus.train_text, corpus.validation_text))
    assert len(train | validation) == 30 and not train & validation
    assert 0.05 < len(corpus.validation_text) / len(text) <= 0.1


def test_few_copies_leave_the_other_paragraphs_together():
    copied = words(30)
    parts = [f"{words(20)} {i}." for i in range(400)]
    for place in (10, 200, 390):
        parts.insert(place, copied.upper() if place == 200 else copied)
    documents, between = cut_into_documents("\n\n".join(parts))
    assert between.join(documents) == "\n\n".join(parts)
    assert [d.casefold() for d in documents].count(copied) == 3
    assert len(documents) < 330
    assert len({split_key(d) for d in documents}) == len(documents) - 2


@pytest.mark.skipif(not shutil.which("iconv"), reason="has no iconv to type the advice into")
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["old text.txt", "old.txt.gz"])
def test_the_advice_for_another_encoding_makes_a_file_that_is_read(tmp_path, encoding, name):
    text = "\n\n".join(f"Grüße Nummer {i}: {words(9)}" for i in range(100))
    if encoding == "latin-1":
        text += "\x81"  # no character of WINDOWS-1252
    data = text.encode(encoding)
    if name.endswith(".gz"):
        data = gzip.compress(data)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="is not UTF-8") as caught:
        load_corpus(tmp_path / name)
    command = re.search(r"with ((?:gunzip|iconv) .*)$", str(caught.value))[1]
    subprocess.run(command, shell=True, check=True)
    assert load_corpus(command.rpartition("> ")[2].strip("\'")).text == text


def test_what_is_left_out_by_prepare_is_left_out(tmp_path, capsys):
    """The advice of a corpus that holds something unreadable."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for i in range(30):
        (folder / f"{i}.txt").write_text(words(60))
    (folder / "odd.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match="not UTF-8; `npgpt prepare` leaves such text out"):
        load_corpus(folder)
    out = tmp_path / "out"
    assert main(["prepare", str(folder), "--out", str(out), "--workers", "1", "--near", "0"]) == 0
    assert "1 dropped: not UTF-8" in capsys.readouterr().out
    assert load_corpus(out).documents


def test_equal_letters_are_told_what_is_wrong_with_them(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a" * 5000)
    line = ["train", "--corpus", str(tmp_path / "a.txt"), "--steps", "1",
            "--out", str(tmp_path / "run")]
    assert main(line) == 2
    assert "holds one piece of text again and again, so nothing can be held out" in (
        capsys.readouterr().err)
    (tmp_path / "b.txt").write_text("too little")
    line[2] = str(tmp_path / "b.txt")
    assert main(line) == 2
    assert "is one piece of 10 characters" in capsys.readouterr().err


def test_the_vocabulary_that_is_advised_can_be_had():
    text = "abcabcabd" * 20
    with pytest.raises(InputError, match="give a vocabulary of at most that") as caught:
        BytePairTokenizer.train(text, 4096)
    most = int(re.search(r"gives at most (\d+);", str(caught.value))[1])
    assert BytePairTokenizer.train(text, most).vocab_size == most
