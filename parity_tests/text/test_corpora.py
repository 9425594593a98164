"""Corpora: what is always there, what a file gives, and what is refused in one line."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npgpt.errors import InputError
from npgpt.text import load_corpus
from npgpt.text.corpora import cut_at_blank_lines, cut_at_headings
from npgpt.text.split import split_documents, split_key


def test_python_docs_is_whole_and_a_tenth_is_held_out():
    from pydoc_data.topics import topics

    corpus = load_corpus("python-docs")
    letters = sorted("".join(topics.values()).replace("\n", ""))
    assert sorted(corpus.text.replace("\n", "")) == letters
    assert corpus.sha256 == hashlib.sha256(corpus.text.encode()).hexdigest()
    assert len(corpus.documents) > 150
    assert 0.09 <= sum(map(len, corpus.validation)) / sum(map(len, corpus.documents)) <= 0.10
    assert set(corpus.validation_text) <= set(corpus.train_text)
    assert sorted(corpus.train + corpus.validation) == sorted(corpus.documents)
    assert load_corpus("python-docs") == corpus


def test_python_docs_holds_nothing_out_that_it_trains_on():
    """Topics share sections, underlined differently; copies stay on one side."""
    corpus = load_corpus("python-docs")
    keys = {split_key(document) for document in corpus.documents}
    assert len(keys) < len(corpus.documents)
    assert not {split_key(d) for d in corpus.train} & {split_key(d) for d in corpus.validation}
    seen = {line for document in corpus.train for line in document.split("\n")}
    lines = [line for d in corpus.validation for line in d.split("\n") if len(line) > 40]
    assert sum(line in seen for line in lines) < 0.01 * len(lines)


def test_sections_begin_with_their_headings():
    text = "One\n***\n\nfirst\n\nTwo\n===\n\nsecond\n   not\n   ---\n"
    assert cut_at_headings(text) == ["One\n***\n\nfirst", "Two\n===\n\nsecond\n   not\n   ---"]


@given(st.lists(st.text(alphabet="ab \n", max_size=40), max_size=30), st.floats(0.01, 0.9))
def test_split_keeps_every_document_and_its_copies_together(documents, share):
    train, validation = split_documents(documents, share)
    assert sorted(train + validation) == sorted(documents)
    assert not {split_key(d) for d in train} & {split_key(d) for d in validation}
    if len({split_key(d) for d in documents}) > 1:
        assert train and validation
    assert set(split_documents(documents[::-1], share)[1]) == set(validation)


@given(st.text(alphabet="ab \n", max_size=300), st.integers(1, 20), st.integers(1, 20))
def test_cutting_loses_no_letter(text, pieces, least):
    parts = cut_at_blank_lines(text, pieces, least)
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")
    if "\n\n" in text[max(least, len(text) // pieces) : -2]:
        assert len("\n\n".join(parts)) >= len(text.rstrip("\n"))


def test_a_file_is_cut_and_split(tmp_path):
    file = tmp_path / "book.txt"
    text = "\n\n".join(f"Paragraph {i} says {i * i}. " * 3 for i in range(300))
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
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
    assert "cannot read" in refused(tmp_path)
