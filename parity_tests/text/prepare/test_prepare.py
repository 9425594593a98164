"""npgpt prepare as a whole: every drop has a reason, nothing leaks."""

import json
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare import dedup, sources, verdicts
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.prepared import open_prepared
from npgpt.text.prepare.settings import Limits, Settings
from parity_tests.text.prepare.prepare_checks import (
    DROPPED,
    check_prepared,
    contents,
    near,
    shingles,
    start,
)


def test_every_drop_has_a_reason_and_the_sum_adds_up(mixed, tmp_path):
    manifest = prepare(Settings(str(mixed)), tmp_path / "out")
    sides = check_prepared(tmp_path / "out", DROPPED)
    assert manifest["masked"] == {"email": 2, "phone": 1}
    documents = {d["source"]: d["text"] for side in sides.values() for d in side}
    assert "<EMAIL>" in documents["e-mail.txt"] and "ann@" not in documents["e-mail.txt"]
    assert documents["d.html"].startswith("A page\n\n")
    assert "<p>" not in documents["d.html"] and "var x" not in documents["d.html"]
    assert "below/p.txt" in documents and "below/.hidden" not in documents
    share = manifest["validation"]["documents"] / manifest["documents"]["kept"]
    assert 0.05 < share < 0.15
    text = (tmp_path / "out" / "report.md").read_text()
    assert all(f"dropped: {reason} | {count}" in text for reason, count in DROPPED.items())
    assert (tmp_path / "out" / "lengths.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "out" / "vocabulary.png").read_bytes()[:4] == b"\x89PNG"


def test_no_validation_document_nearly_equals_a_training_document(mixed, tmp_path):
    """All pairs, by the groups of words themselves."""
    prepare(Settings(str(mixed), validation=0.3), tmp_path / "out")
    sides = check_prepared(tmp_path / "out", DROPPED)
    small = {
        name: [shingles(d["text"]) for d in side if d["source"] != "z-large.txt"]
        for name, side in sides.items()
    }
    assert len(small["validation"]) > 5
    for held in small["validation"]:
        for seen in small["train"]:
            assert len(held & seen) / len(held | seen) < 0.8


def test_the_number_of_processes_changes_no_byte(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 150_000)  # some portions for each process
    settings = Settings(str(mixed), tokenizer="bpe:400")
    prepare(settings, tmp_path / "one", workers=1)
    prepare(settings, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.acceptance
def test_a_hundred_megabytes_are_the_same_bytes_whatever_the_workers(tmp_path):
    sizes = {}
    for workers in (2, 1):
        began = time.perf_counter()
        process = start("stories:100MB", "--out", tmp_path / str(workers), "--workers", workers)
        assert process.wait() == 0, process.stderr.read()
        sizes[workers] = 100 / (time.perf_counter() - began)
    print(f"{sizes} MB/s")
    names = contents(tmp_path / "1").keys()
    assert names == contents(tmp_path / "2").keys()
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_directory_that_cannot_be_read_is_named(tmp_path, small_portions, monkeypatch):
    folder = tmp_path / "texts"
    for name in ("open", "secret"):
        (folder / name).mkdir(parents=True)
        for i, text in enumerate(stories(5)):
            (folder / name / f"{i}.txt").write_text(text)
    if os.name == "posix":
        (folder / "open" / os.fsdecode(b"name\xff.txt")).write_text(next(stories(1, seed=2)))
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    manifest = prepare(Settings(str(folder)), tmp_path / "out")
    assert manifest["documents"]["dropped"] == {"unreadable: Permission denied": 1}
    assert manifest["documents"]["kept"] >= 5
    assert "secret, from 0" in (tmp_path / "out" / "report.md").read_text()


def test_a_leak_fails_the_build(tmp_path, monkeypatch, small_portions):
    """Break the split, then the search for near duplicates: both are caught, nothing is written."""
    text = next(stories(1))
    lines = [text, text.upper(), *stories(12, seed=1), near(next(stories(1, seed=1)), 2)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in lines))
    settings = Settings(str(file), near=0)
    assert prepare(settings, tmp_path / "fine")["documents"]["kept"] == 15

    def first_only(keys, unique, sizes, ratio):
        return np.arange(len(keys)) == 0

    def last_only(keys, unique, sizes, ratio):
        return np.arange(len(keys)) == len(keys) - 1

    def none(signatures, alive, threshold):
        return np.full(len(alive), -1)

    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "held_out", first_only)
        with pytest.raises(InputError, match="1 documents stand in both"):
            prepare(settings, tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(verdicts, "held_out", last_only)
        patch.setattr(dedup, "near_duplicates", none)
        with pytest.raises(InputError, match="1 documents stand in both"):
            prepare(replace(settings, near=0.8), tmp_path / "near")
    for name in ("out", "near"):
        assert not (tmp_path / name / "manifest.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="names a file as only POSIX can")
def test_names_that_are_not_utf_8_are_shown_as_far_as_they_are(tmp_path, small_portions):
    name = str(tmp_path / os.fsdecode(b"caf\xe9.txt"))
    try:
        (tmp_path / name).write_text("\n\n".join(stories(20)))
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    out = tmp_path / "out"
    manifest = prepare(Settings(name, licence=os.fsdecode(b"\xff")), out)
    assert manifest == open_prepared(out).manifest
    assert manifest["origin"].endswith("caf?.txt") and manifest["licence"] == "?"
    assert "caf?.txt" in (out / "report.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="makes a link, which not every system lets one")
def test_a_link_to_itself_is_one_line(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(InputError, match="1 × unreadable: Too many levels of symbolic links"):
        prepare(Settings(str(loop)), tmp_path / "out")
    with pytest.raises(InputError, match=r"cannot write in .*loop: "):
        prepare(Settings("stories:4kB"), loop)


@pytest.mark.parametrize("share", [1e-9, 0.1, 0.999999])
def test_few_documents_are_on_both_sides(tmp_path, small_portions, share):
    manifest = prepare(Settings("stories:4kB", validation=share), tmp_path / "out")
    assert manifest["train"]["documents"] + manifest["validation"]["documents"] == 3
    assert manifest["train"]["documents"] and manifest["validation"]["documents"]


def test_limits_and_a_given_tokenizer_are_used(tmp_path, small_portions):
    first = prepare(Settings("stories:40kB", tokenizer="words"), tmp_path / "first")
    limits = Limits(shortest=1550)
    given = str(tmp_path / "first" / "tokenizer.json")
    second = prepare(Settings("stories:40kB", tokenizer=given, limits=limits), tmp_path / "second")
    assert second["tokenizer"] == first["tokenizer"]
    assert second["documents"]["dropped"]["too short"] > 0
    same = [(tmp_path / name / "tokenizer.json").read_bytes() for name in ("first", "second")]
    assert same[0] == same[1]


def test_the_vocabulary_curve_counts_distinct_words(tmp_path, small_portions):
    texts = [" ".join(f"w{i % 25}x{j % 90}" for j in range(120)) for i in range(120)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    prepare(Settings(str(file)), tmp_path / "out")
    curve = json.loads((tmp_path / "out" / "report.json").read_text())["vocabulary"]
    assert curve[-1][0] == 120 * 120
    assert len(curve) > 10  # some portions, of five places each
    assert curve[-1][1] == pytest.approx(25 * 90, rel=0.01)
    for words, distinct in curve:
        whole, rest = divmod(words, 120)
        expected = min(25 * 90, whole * 90 + min(rest, 90))
        assert distinct == pytest.approx(expected, rel=0.01, abs=1)
