"""npgpt tokenizer, as it is typed."""

import io
import json
import os
import re
import sys
from itertools import pairwise

import pytest

from npgpt.cli import bench, tokenizer
from npgpt.cli.run import run
from npgpt.text import BytePairTokenizer, CharacterTokenizer, WordTokenizer, load_tokenizer
from parity_tests.text.tokenizers.tokenizer_checks import END, TRAINING


@pytest.fixture
def npgpt(capfd, monkeypatch):
    """Run one command; (status, standard output as bytes, standard error)."""

    def call(*arguments, stdin=b""):
        app = {"tokenizer": tokenizer.app, "bench": bench.app}[arguments[0]]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfd.readouterr()
        status = run(app, f"npgpt {arguments[0]}", [str(word) for word in arguments[1:]])
        sys.stdout.flush()
        out, error = capfd.readouterr()
        return status, out, error

    return call


@pytest.fixture
def files(tmp_path):
    (tmp_path / "text.txt").write_text(TRAINING, encoding="utf-8")
    for name, made in {
        "bpe": BytePairTokenizer.train(TRAINING, 400), "words": WordTokenizer.train(TRAINING),
        "characters": CharacterTokenizer.train(TRAINING),
    }.items():
        made.save(tmp_path / f"{name}.json")
    return tmp_path


@pytest.mark.parametrize("kind", ["bpe", "words", "characters"])
def test_train_then_encode_then_decode(kind, files, npgpt):
    out = files / "new.json"
    options = {"bpe": ["--vocab-size", 300, "--special", "<a>", "--special", "<b>"]}.get(kind, [])
    status, printed, _ = npgpt(
        "tokenizer", "train", "--corpus", files / "text.txt", "--kind", kind, "--out", out,
        "--json", *options)
    facts = json.loads(printed)
    assert status == 0 and facts["vocab_size"] == load_tokenizer(out).vocab_size
    if kind == "bpe":
        assert facts["special_tokens"] == ["<a>", "<b>"] and facts["vocab_size"] == 300
    text = "The king's café\n\n  it"
    status, ids, _ = npgpt("tokenizer", "encode", out, text)
    assert status == 0 and len(ids.split()) > 5
    assert npgpt("tokenizer", "encode", out, stdin=text.encode())[1] == ids
    assert npgpt("tokenizer", "decode", out, stdin=ids.encode())[1] == text
    assert npgpt("tokenizer", "decode", out, *ids.split())[1] == text
    first, rest = ids.strip().split(" ", 1)
    assert npgpt("tokenizer", "decode", out, first + ",", rest.replace(" ", ","))[1] == text
    _, printed, _ = npgpt("tokenizer", "decode", out, *ids.split(), "--json")
    assert json.loads(printed) == {"text": text}


def test_bytes_that_are_no_text_go_through(files, capfdbinary, monkeypatch):
    tokenizer_file = files / "bpe.json"
    data = bytes(range(256))
    ids = load_tokenizer(tokenizer_file).encode_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(tokenizer.app, "x", ["encode", str(tokenizer_file)]) == 0
    assert capfdbinary.readouterr().out.split() == [str(id).encode() for id in ids]
    assert run(tokenizer.app, "x", ["decode", str(tokenizer_file), *map(str, ids)]) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == data


def test_special_tokens_are_text_unless_allowed(files, npgpt):
    file = files / "bpe.json"
    assert "399" not in npgpt("tokenizer", "encode", file, END)[1].split()
    assert npgpt("tokenizer", "encode", file, END, "--allow-special", END)[1] == "399\n"


def test_show_marks_pieces_and_writes_html(files, npgpt):
    page = files / "strip.html"
    status, shown, _ = npgpt(
        "tokenizer", "show", files / "bpe.json", "<king>  \n é ж", "--html", page)
    assert status == 0
    assert "<|k" in shown and "\\n" in shown and "é" in shown
    assert shown.rstrip().endswith("bytes per token")
    html = page.read_text(encoding="utf-8")
    assert "&lt;" in html and "<king" not in html and 'charset="utf-8"' in html
    tokenizer = load_tokenizer(files / "bpe.json")
    ids = tokenizer.encode("<king>  \n é ж")
    assert [html.count(f'title="{id}"') > 0 for id in ids] == [True] * len(ids)
    _, printed, _ = npgpt("tokenizer", "show", files / "bpe.json", "a ዐ", "--json")
    assert json.loads(printed)["pieces"][-1]["text"] == "\\x90"  # a part of a character


def test_show_tells_neighbours_apart_in_sixteen_colours(files, npgpt, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    _, shown, _ = npgpt("tokenizer", "show", files / "bpe.json", "zyxwvuts")
    grounds = re.findall(r"\x1b\[30;(\d+)m", shown)
    assert len(grounds) >= 5 and "|" not in shown
    assert all(one != next for one, next in pairwise(grounds))


def test_compare_measures_several(files, npgpt):
    names = [files / f"{kind}.json" for kind in ("bpe", "words", "characters")]
    (files / "other.txt").write_text("the king ж", encoding="utf-8")
    corpus = ["--corpus", files / "other.txt"]
    status, printed, _ = npgpt("tokenizer", "compare", *names, *corpus, "--json")
    bpe, words, characters = json.loads(printed)["tokenizers"]
    assert status == 0
    assert bpe["comes_back_whole"] and not words["comes_back_whole"]
    assert bpe["bytes_a_token"] == 11 / bpe["tokens"] and bpe["encode_mb_s"] > 0
    assert "'ж'" in characters["problem"]
    _, table, _ = npgpt("tokenizer", "compare", *names, *corpus)
    assert "words.json: does not give back the whole text" in table


@pytest.mark.skipif(os.name != "posix", reason="names a file as only POSIX can")
def test_compare_prints_a_file_name_as_it_is(files, npgpt, monkeypatch):
    monkeypatch.chdir(files)
    (files / "[").mkdir()
    names = ["t[old].json", "[/x].json", ":cat:.json"]
    for name in names:
        WordTokenizer.train("the king").save(name)
    status, table, _ = npgpt("tokenizer", "compare", *names, "--corpus", "text.txt")
    assert status == 0 and all(name in table for name in names)


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "--kind", "sentence", "--out", "OUT"], "no kind 'sentence'"),
    (["train", "--out", "bpe.json"], "is there already"),
    (["train", "--corpus", "none", "--out", "no/x.json"], "there is no directory no"),
    (["train", "--corpus", "none", "--out", "x.txt"], "does not end in .json"),
    (["train", "--corpus", "text.txt", "--vocab-size", "99", "--out", "x.json"], "at least 257"),
    (["train", "--corpus", "text.txt", "--vocab-size", "9999", "--out", "x.json"], "gives at most"),
    (["train", "--corpus", "empty.txt", "--out", "x.json"], "empty"),
    (["encode", "OUT", "a"], "cannot read"),
    (["encode", "bpe.json", "a", "--allow-special", "<x>"], "unknown special token '<x>'"),
    (["encode", "characters.json", "Ж"], "no character 'Ж'"),
    (["decode", "bpe.json", "1", "x"], "whole numbers"),
    (["decode", "bpe.json", "400"], "out of range"),
    (["show", "bpe.json", "a", "--html", "no/strip.html"], "there is no directory no"),
    (["compare", "text.txt"], "not JSON"),
    (["frobnicate"], "No such command"),
])
def test_bad_input_is_one_line(arguments, message, files, npgpt, monkeypatch):
    monkeypatch.chdir(files)
    (files / "empty.txt").write_text("")
    before = {path: path.read_bytes() for path in files.iterdir()}
    status, out, error = npgpt("tokenizer", *arguments)
    assert status == 2 and out == ""
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error
    assert {path: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.parametrize("command", [["tokenizer"], ["tokenizer", "train"],
                                     ["tokenizer", "compare"], ["tokenizer", "show"],
                                     ["bench"], ["bench", "tokenizer"]])
def test_help_fits_a_screen_and_has_an_example(command, npgpt):
    status, out, _ = npgpt(*command, "--help")
    lines = out.split("\n")
    assert status == 0 and len(lines) <= 40 and max(map(len, lines)) <= 80
    assert "\n  npgpt " + command[0] in out
