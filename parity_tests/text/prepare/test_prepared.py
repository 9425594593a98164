"""A prepared directory: not overwritten, checked when it is opened, a corpus."""

import json

import pytest

from npgpt.errors import InputError
from npgpt.text import load_corpus
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.prepared import is_prepared, open_prepared
from npgpt.text.prepare.settings import Settings


def test_what_was_prepared_is_not_overwritten(tmp_path, small_portions):
    settings = Settings("stories:30kB")
    out = tmp_path / "out"
    manifest = prepare(settings, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert prepare(settings, out) == manifest
    for other in (
        Settings("stories:31kB"),
        Settings("stories:30kB", seed=1),
        Settings("stories:30kB", tokenizer="words"),
    ):
        with pytest.raises(InputError, match="was prepared from other text"):
            prepare(other, out)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="has other files in it"):
        prepare(settings, tmp_path / "mine")
    with pytest.raises(InputError, match="is a file"):
        prepare(settings, tmp_path / "mine" / "letter.txt")
    with pytest.raises(InputError, match="which is to be read"):
        prepare(Settings(str(tmp_path)), tmp_path / "new")


def test_a_prepared_directory_is_no_source(tmp_path, small_portions):
    ready = tmp_path / "ready"
    prepare(Settings("stories:40kB"), ready)
    for out in (tmp_path / "out", ready):
        with pytest.raises(InputError, match="ready is prepared already; give its source, which"):
            prepare(Settings(str(ready)), out)
    notes = tmp_path / "notes"  # a manifest alone is a document
    notes.mkdir()
    (notes / "manifest.json").write_text(json.dumps(list(stories(20))))
    assert prepare(Settings(str(notes)), tmp_path / "out")["documents"]["kept"]
    assert not is_prepared(notes) and load_corpus(notes).documents


@pytest.mark.parametrize("lost", [
    "train.tokens", "validation.tokens", "tokenizer.json", "manifest.json"])
def test_a_prepared_directory_that_lost_a_file_is_not_read_as_text(tmp_path, small_portions, lost):
    out = tmp_path / "out"
    prepare(Settings("stories:40kB"), out)
    if lost == "manifest.json":
        (out / lost).write_bytes((out / lost).read_bytes()[:5])
    else:
        (out / lost).unlink()
    with pytest.raises(InputError, match=lost.replace(".", "[.]")):
        load_corpus(out)


def test_a_changed_or_missing_file_is_refused(tmp_path, small_portions):
    out = tmp_path / "out"
    prepare(Settings("stories:30kB"), out)
    for name in ("manifest.json", "tokenizer.json", "train.tokens", "validation.tokens"):
        data = (out / name).read_bytes()
        for wrong in (None, data[:-5], data[:-9] + b"123456789", b""):
            (out / name).unlink()
            if wrong is not None:
                (out / name).write_bytes(wrong)
            with pytest.raises(InputError) as caught:
                open_prepared(out)
            assert "\n" not in str(caught.value) and str(out) in str(caught.value)
            (out / name).write_bytes(data)
    whole = json.loads((out / "manifest.json").read_text())
    for lost in ("licence", "origin", "files", "validation"):
        fields = {name: value for name, value in whole.items() if name != lost}
        (out / "manifest.json").write_text(json.dumps(fields))
        with pytest.raises(InputError, match=r"manifest\.json is damaged"):
            open_prepared(out)
    (out / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        open_prepared(out)
    (out / "manifest.json").write_text(json.dumps(whole))
    assert open_prepared(out).validation_bytes == whole["validation"]["bytes"]
    with pytest.raises(InputError, match="not a prepared directory"):
        open_prepared(tmp_path / "none")


def test_a_prepared_directory_is_a_corpus_split_as_it_was(tmp_path, small_portions):
    out = tmp_path / "out"
    manifest = prepare(Settings("stories:40kB", licence="mine"), out)
    corpus = load_corpus(out)
    assert len(corpus.train) == manifest["train"]["documents"]
    assert len(corpus.validation) == manifest["validation"]["documents"]
    assert sorted(corpus.documents) == sorted(stories(26))
    assert corpus.licence == manifest["licence"] == "mine"
    lines = (out / "train.jsonl").read_text()
    (out / "train.jsonl").write_text(lines.replace("the", "The", 1))
    with pytest.raises(InputError, match=r"train\.jsonl has changed"):
        load_corpus(out)
    ids = open_prepared(out).tokenizer.encode(corpus.train_text)
    assert ids == open_prepared(out).train.tolist()[:-2]


@pytest.mark.parametrize("size", ["0", "-5", "Infinity", "NaN", "12.5", "true", '"900"', "null"])
def test_bytes_that_cannot_be_are_refused_before_a_training_begins(tmp_path, small_portions, size):
    out = tmp_path / "out"
    manifest = prepare(Settings("stories:30kB"), out)
    right = f'"bytes": {manifest["validation"]["bytes"]}'
    text = (out / "manifest.json").read_text()
    assert text.count(right + ",") == 1
    (out / "manifest.json").write_text(text.replace(right + ",", f'"bytes": {size},'))
    with pytest.raises(InputError, match=r"manifest\.json is damaged: .*the bytes of validation"):
        open_prepared(out)
