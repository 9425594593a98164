"""What a folder holds is read: behind links, as JSON, in other encodings; or there is a reason."""

import json

import pytest

from npgpt.errors import InputError
from npgpt.text import load_corpus
from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.documents import documents
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.sources import read_pieces


def read(source, field="text"):
    return [document for piece in read_pieces(source) for document in documents(piece, field)]


def texts(source, field="text"):
    return [d.reason if isinstance(d, Dropped) else d.text for d in read(source, field)]


# links


def folders(root):
    """A folder with a file, and beside it a tree that it links to, in two ways and in a circle."""
    for name, text in (("mine/a.txt", "of mine"), ("theirs/deep/b.txt", "of theirs")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "mine" / "once").symlink_to("../theirs")
    (root / "mine" / "twice").symlink_to("../theirs/deep")
    (root / "theirs" / "deep" / "round").symlink_to("../../mine")
    return root / "mine"


def test_a_folder_that_is_linked_to_is_read_once(tmp_path):
    found = read(folders(tmp_path))
    assert sorted(document.text for document in found) == ["of mine", "of theirs"]
    assert {document.source for document in found} == {"a.txt", "once/deep/b.txt"}


def test_links_alone_are_a_source(tmp_path):
    folders(tmp_path)
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "link").symlink_to("../theirs")
    (tmp_path / "only" / "nowhere").symlink_to("../gone")
    assert texts(tmp_path / "only") == [
        "of theirs", "of mine", "unreadable: No such file or directory"]


def test_a_folder_inside_that_is_also_linked_to_keeps_its_own_name(tmp_path):
    (tmp_path / "all" / "z").mkdir(parents=True)
    (tmp_path / "all" / "z" / "b.txt").write_text("text")
    (tmp_path / "all" / "a").symlink_to("z")
    (tmp_path / "all" / "self").symlink_to(".")
    assert [document.source for document in read(tmp_path / "all")] == ["z/b.txt"]


# JSON


def test_json_is_read_and_never_learned_with_its_brackets(tmp_path):
    rows = [{"body": "one\ntwo", "text": 1}, {"body": "three"}, {"title": "four"}]
    (tmp_path / "a.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.json").write_text(json.dumps([*rows, "five", 6], indent=1))
    (tmp_path / "c.json").write_text(json.dumps(rows[1]))
    (tmp_path / "d.json").write_text("{'not': json}")
    refused = 'no field "body"'
    assert texts(tmp_path / "a.ndjson", "body") == ["one\ntwo", "three", refused]
    assert texts(tmp_path / "b.json", "body") == ["one\ntwo", "three", refused, "five", refused]
    assert texts(tmp_path / "c.json", "body") == ["three"]
    assert texts(tmp_path / "d.json", "body") == ["not JSON"]
    assert texts(tmp_path / "c.json") == ['no field "text"']


def test_the_field_of_a_corpus_can_be_named(tmp_path):
    rows = [{"body": f"Document {i} in so many words."} for i in range(30)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    for name in (tmp_path / "rows.json", tmp_path):
        with pytest.raises(InputError, match='no field "text"; give --field NAME'):
            load_corpus(name)
        assert load_corpus(name, field="body").documents == [row["body"] for row in rows]
    settings = Settings(str(tmp_path / "rows.json"), field="body", near=0)
    with pytest.raises(InputError, match="30 × too short"):  # and so was read
        prepare(settings, tmp_path / "out")


# encodings


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_how_to_read(tmp_path, encoding):
    text = "".join(f"Zeile {i} mit Umlauten: äöü, und 日本.\n\n" for i in range(900))
    data = ("\ufeff" * (encoding == "utf-16-be") + text).encode(encoding)
    (tmp_path / "marked.txt").write_bytes(data)
    assert load_corpus(tmp_path / "marked.txt").text == text
    assert "".join(texts(tmp_path / "marked.txt")) == text
    rows = "".join(json.dumps({"text": part}, ensure_ascii=False) + "\n" for part in ("ä", "日"))
    (tmp_path / "rows.jsonl").write_bytes(
        ("\ufeff" * (encoding == "utf-16-be") + rows).encode(encoding))
    assert texts(tmp_path / "rows.jsonl") == ["ä", "日"]
    if encoding != "utf-8-sig":
        (tmp_path / "cut.txt").write_bytes(data[:-1])
        assert "broken UTF-16" in texts(tmp_path / "cut.txt")


@pytest.mark.parametrize(("head", "encoding"), [
    ('<meta charset="iso-8859-1">', "cp1252"),
    ("<META http-equiv=Content-Type content='text/html; charset=Shift_JIS'>", "shift_jis"),
    ('<?xml version="1.0" encoding="iso-2022-jp"?>', "iso-2022-jp"),
    ('<meta charset="iso-8859-1">', "utf-8"),  # as many pages say who do not know better
    ("", "utf-16"),
])
def test_pages_are_read_in_the_charset_that_they_declare(tmp_path, head, encoding):
    text = "“Grüße”" if encoding in ("cp1252", "utf-8", "utf-16") else "日本語のページ"
    page = f"<html><head>{head}</head><body><p>{text}</p></body></html>"
    (tmp_path / "page.html").write_bytes(page.encode(encoding))
    assert texts(tmp_path / "page.html") == [page]


def test_a_charset_that_nobody_knows_is_a_reason(tmp_path):
    page = "<html><head><meta charset=x-secret></head><body>é</body></html>"
    (tmp_path / "page.html").write_bytes(page.encode("latin-1"))
    assert texts(tmp_path / "page.html") == ["unknown charset x-secret"]
    (tmp_path / "page.html").write_bytes(page.replace("x-secret", "ascii").encode("latin-1"))
    assert texts(tmp_path / "page.html") == ["not ascii"]
