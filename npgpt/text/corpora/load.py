"""Texts to learn from: two that are always there, some with a network, and your own files."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.corpora.files import cut_at_empty_lines, read_text
from npgpt.text.corpora.locate import locate, stories_size
from npgpt.text.corpora.python_docs import PYTHON_LICENCE, python_docs, python_source
from npgpt.text.corpora.stories import stories, story_count
from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.prepared import TEXTS, check_file, is_prepared, open_prepared
from npgpt.text.prepare.sources import documents, kind_of, read_pieces
from npgpt.text.prepare.split import split_documents
from npgpt.text.prepare.token_files import JOINT


@dataclass(frozen=True)
class Corpus:
    """Documents, and which of them are for training and for validation.

    `sha256` is that of `text` in UTF-8: the documents joined by an empty line;
    of a prepared directory, that of its two parts' files.
    """

    name: str
    documents: list[str] = field(repr=False)
    train: list[str] = field(repr=False)
    validation: list[str] = field(repr=False)
    sha256: str
    licence: str
    source: str

    @property
    def text(self) -> str:
        return JOINT.join(self.documents)

    @property
    def train_text(self) -> str:
        return JOINT.join(self.train)

    @property
    def validation_text(self) -> str:
        return JOINT.join(self.validation)


def load_corpus(name: str | Path, sha256: str | None = None, seed: int = 0) -> Corpus:
    """A corpus by name, or from files: "python-docs", "stories:10MB", "tinyshakespeare",
    "https://…" with its `sha256`, "book.txt", "notes/", "notes/*.md", "chats.jsonl",
    a directory that `npgpt prepare` wrote.

    A text file is cut at empty lines into documents of a few paragraphs (see
    `cut_at_empty_lines`), as are other sources of fewer than 20 documents;
    about a tenth of any corpus is held out for validation, chosen by the documents'
    hashes (see `split_documents`). `seed` is that of the stories. Text is taken as it
    stands; `npgpt prepare` cleans it.
    """
    name = str(name)
    if name == "python-docs":
        return _corpus(name, python_docs(), PYTHON_LICENCE, python_source())
    if name == "stories" or name.startswith("stories:"):
        texts = list(stories(story_count(stories_size(name)), seed))
        return _corpus(name, texts, "CC0-1.0", f"npgpt.text.stories, seed {seed}")
    path, licence, source = locate(name, sha256)
    if is_prepared(path):
        return _prepared(Path(path))
    if os.path.isfile(path) and kind_of(path) == "text":
        return _corpus(name, cut_at_empty_lines(read_text(Path(path))), licence, source)
    texts = []
    for piece in read_pieces(path):
        for document in documents(piece):
            if isinstance(document, Dropped):
                raise InputError(
                    f"{document.source}, byte {document.start}: {document.reason}; "
                    "`npgpt prepare` leaves such text out"
                )
            if document.text.strip():
                texts.append(document.text.replace("\r\n", "\n").strip("\n"))
    if not texts:
        raise InputError(f"{name} has no text in it")
    texts = texts if len(texts) >= 20 else cut_at_empty_lines(JOINT.join(texts))
    return _corpus(name, texts, licence, source)


def _prepared(directory: Path) -> Corpus:
    """What `npgpt prepare` wrote, split as it was split there."""
    prepared = open_prepared(directory)
    for name in TEXTS:
        check_file(directory, prepared.manifest, name)
    train, validation = (
        [json.loads(line)["text"] for line in read_text(directory / name).split("\n") if line]
        for name in TEXTS
    )
    return Corpus(prepared.name, train + validation, train, validation,
                  prepared.sha256, prepared.licence, prepared.source)


def _corpus(name: str, documents: list[str], licence: str, source: str) -> Corpus:
    train, validation = split_documents(documents)
    sha256 = hashlib.sha256(JOINT.join(documents).encode()).hexdigest()
    return Corpus(name, documents, train, validation, sha256, licence, source)
