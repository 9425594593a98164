"""Corpora: what is always there, what a file gives, and what is refused in one line."""

import gzip
import hashlib
import json
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.text import load_corpus
from npgpt.text.corpora.files import cut_into_documents
from npgpt.text.corpora.python_docs import cut_at_headings
from npgpt.text.prepare import documents, sources
from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.split import split_documents, split_key


def test_python_docs_is_whole_and_a_tenth_is_held_out():
    from pydoc_data.topics import topics

    corpus = load_corpus("python-docs")
    letters = sorted("".join(topics.values()).replace("\n", ""))
    assert sorted(corpus.text.replace("\n", "")) == letters
    assert corpus.sha256 == hashlib.sha256(corpus.text.encode()).hexdigest()
    assert len(corpus.documents) > 150
    assert 0.09 <= sum(map(len, corpus.validation)) / sum(map(len, corpus.documents)) <= 0.10
    assert sorted(corpus.train + corpus.validation) == sorted(corpus.documents)
    assert load_corpus("python-docs") == corpus


def test_python_docs_holds_nothing_out_that_it_trains_on():
    """Topics share sections, underlined differently; copies stay on one side."""
    corpus = load_corpus("python-docs")
    keys = {split_key(document) for document in corpus.documents}
    assert len(keys) < len(corpus.documents)
    assert not {split_key(d) for d in corpus.train} & {split_key(d) for d in corpus.validation}
    seen = {part for document in corpus.train for part in document.split("\n\n")}
    paragraphs = [part for d in corpus.validation for part in d.split("\n\n") if len(part) > 100]
    assert len(paragraphs) > 100 and not seen & set(paragraphs)


def test_sections_begin_with_their_headings():
    text = "One\n***\n\nfirst\n\nTwo\n===\n\nsecond\n   not\n   ---\n"
    assert cut_at_headings(text) == ["One\n***\n\nfirst", "Two\n===\n\nsecond\n   not\n   ---"]


@given(st.lists(st.text(alphabet="ab \n", max_size=40), max_size=30), st.floats(0.01, 0.9))
def test_split_keeps_every_document_and_its_copies_together(texts, share):
    train, validation = split_documents(texts, share)
    assert sorted(train + validation) == sorted(texts)
    assert not {split_key(d) for d in train} & {split_key(d) for d in validation}
    if len({split_key(d) for d in texts}) > 1:
        assert train and validation
    if len({split_key(d) for d in validation}) > 1:
        assert sum(map(len, validation)) <= share * sum(map(len, texts)) + 1e-9
    assert set(split_documents(texts[::-1], share)[1]) == set(validation)


@given(st.text(alphabet="ab \n", max_size=300), st.integers(1, 20), st.integers(1, 20))
def test_cutting_loses_no_letter(text, pieces, least):
    parts, between = cut_into_documents(text, pieces, least)
    assert between.join(parts) == text


def test_a_file_is_cut_and_split(tmp_path):
    file = tmp_path / "book.txt"
    text = "\n\n".join(f"Paragraph {i} says {i * i}. " * 3 for i in range(300))
    for ends in ("\r", "\r\n"):
        file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
        corpus = load_corpus(file)
        assert corpus.text == text
    assert 0.08 < len(corpus.validation_text) / len(text) < 0.11
    for short in ("one line without an end " * 100, "line\nline two\n" * 40):
        file.write_text(short)
        assert load_corpus(str(file)).validation and load_corpus(file).train


def refused(name):
    with pytest.raises(InputError) as caught:
        load_corpus(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_input_is_one_line(tmp_path):
    assert "python-docs" in refused("shakespeer")
    assert "nothing.txt" in refused(tmp_path / "nothing.txt")
    file = tmp_path / "file.txt"
    file.write_bytes(b" \n\n")
    assert "is empty" in refused(file)
    file.write_bytes("é".encode() + b"abc\xff")
    assert "byte 0xff at offset 5" in refused(file)
    assert "not UTF-8" in refused(tmp_path)
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"text" * 99)[:-9])
    assert "broken gzip" in refused(tmp_path / "broken.gz")
    (tmp_path / "none").mkdir()
    assert "no files" in refused(tmp_path / "none")
    assert "no file matches" in refused(tmp_path / "*.tex")
    (tmp_path / "one.jsonl").write_text('{"text": "a"}\n{"words": "b"}\n')
    assert 'byte 14: no field "text"' in refused(tmp_path / "one.jsonl")
    for size in ("stories:", "stories:0MB", "stories:ten", "stories:1TB", f"stories:{'9' * 400}kB"):
        assert "stories:10MB" in refused(size)


def test_directories_patterns_jsonl_and_gz_give_the_same_documents(tmp_path):
    texts = [f"Document {i}.\n\nIt says {'so ' * i}." for i in range(30)]
    folder = tmp_path / "folder" / "deeper"
    folder.mkdir(parents=True)
    for i, text in enumerate(texts):
        (folder / f"{i:02}.txt").write_text(text, "utf-8-sig" if i < 3 else "utf-8")
    (folder / ".hidden").write_text("secret")
    lines = "".join(json.dumps({"text": text, "id": 1}) + "\n" for text in texts)
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for name in (tmp_path / "folder", folder / "*.txt", tmp_path / "all.jsonl.gz"):
        assert load_corpus(name).documents == texts


def test_long_files_are_read_in_pieces_that_join_to_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 1000)
    monkeypatch.setattr(sources, "WHOLE", 100)
    monkeypatch.setattr(documents, "SHORTEST", 40)
    for text in (
        "é" * 5000,
        "line of words\n" * 700,
        "One.\r\n\r\n" * 800,
        "日本" * 2000 + "\n\na",
    ):
        (tmp_path / "long.txt").write_bytes(text.encode())
        pieces = list(sources.read_pieces(tmp_path / "long.txt"))
        assert b"".join(piece.data for piece in pieces) == text.encode()
        assert [p.start for p in pieces] == [
            sum(len(q.data) for q in pieces[:i]) for i in range(len(pieces))
        ]
        found = [document for piece in pieces for document in documents.documents(piece)]
        assert "".join(document.text for document in found) == text
        assert max(len(document.text.encode()) for document in found) <= 100


def test_a_jsonl_line_that_is_too_long_is_one_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIECE", 100)
    monkeypatch.setattr(sources, "LARGEST", 200)
    lines = [json.dumps({"text": "x" * size}) for size in (10, 30, 500, 20, 400, 5)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = [
        d for piece in sources.read_pieces(tmp_path / "a.jsonl") for d in documents.documents(piece)
    ]
    assert [len(document.text) for document in found] == [10, 30, 0, 20, 0, 5]
    dropped = [isinstance(document, Dropped) for document in found]
    assert dropped == [False, False, True, False, True, False]
    whole = "\n".join(lines)
    assert [document.start for document in found] == [whole.index(line) for line in lines]


def test_a_jsonl_line_with_a_number_of_thousands_of_digits_is_one_problem(tmp_path):
    lines = ['{"text": "one"}', '{"n": 1' + "0" * 5000 + ', "text": "x"}', '{"text": "two"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    found = [
        d for piece in sources.read_pieces(tmp_path / "a.jsonl") for d in documents.documents(piece)
    ]
    assert [document.text for document in found] == ["one", "", "two"]
    assert isinstance(found[1], Dropped) and found[1].reason == "not JSON"


@pytest.fixture
def server(tmp_path):
    """Files of a directory over HTTP, on this machine only."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_a_url_is_checked_and_cached(server, tmp_path, monkeypatch):
    folder, url = server
    cache = tmp_path / "cache"
    monkeypatch.setenv("NPGPT_CACHE", str(cache))
    text = "\n\n".join(f"Paragraph {i} of a remote file." for i in range(300))
    (folder / "book.txt").write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(InputError, match="needs its checksum"):
        load_corpus(url + "/book.txt")
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        load_corpus(url + "/book.txt", sha256="abc")
    with pytest.raises(InputError, match=r"wrong checksum.*nothing kept"):
        load_corpus(url + "/book.txt", sha256="0" * 64)
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    with pytest.raises(InputError, match="cannot fetch"):
        load_corpus(url + "/other.txt", sha256=sha256)
    corpus = load_corpus(url + "/book.txt", sha256=sha256.upper())
    assert corpus.text == text and corpus.source == url + "/book.txt"
    (folder / "book.txt").unlink()
    assert load_corpus(url + "/book.txt", sha256=sha256) == corpus
    kept = next(path for path in cache.rglob("*") if path.is_file())
    kept.write_text("changed")
    with pytest.raises(InputError, match="cannot fetch"):
        load_corpus(url + "/book.txt", sha256=sha256)
    with zipfile.ZipFile(folder / "book.zip", "w") as archive:
        archive.writestr("in/book.txt", text)
    sha256 = hashlib.sha256((folder / "book.zip").read_bytes()).hexdigest()
    assert load_corpus(url + "/book.zip", sha256=sha256).text == text


def test_without_a_network_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("NPGPT_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="python-docs and stories need no network"):
        load_corpus("http://127.0.0.1:9/book.txt", sha256="0" * 64)
