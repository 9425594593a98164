"""Texts to learn from: two that are always there, some with a network, and your own files."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.corpora.files import cut_into_documents, read_text
from npgpt.text.corpora.locate import locate, stories_size
from npgpt.text.corpora.python_docs import PYTHON_LICENCE, python_docs, python_source
from npgpt.text.corpora.stories import short_count, short_stories, stories, story_count
from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.documents import documents
from npgpt.text.prepare.prepared import TEXTS, check_file, is_prepared, open_prepared
from npgpt.text.prepare.sources import kind_of, read_pieces
from npgpt.text.prepare.split import split_documents
from npgpt.text.prepare.token_files import JOINT
from npgpt.text.tokenizers.special_tokens import END_OF_TEXT

FEW = 20  # documents; fewer are cut into smaller ones


@dataclass(frozen=True)
class Corpus:
    """Documents, and which of them are for training and for validation.

    `between` stands between two documents of a text. `sha256` is that of `text` in UTF-8; of
    a prepared directory, that of its two parts' files.
    """

    name: str
    documents: list[str] = field(repr=False)
    train: list[str] = field(repr=False)
    validation: list[str] = field(repr=False)
    sha256: str
    licence: str
    source: str
    between: str = JOINT

    @property
    def text(self) -> str:
        return self.between.join(self.documents)

    @property
    def train_text(self) -> str:
        return self.between.join(self.train)

    @property
    def validation_text(self) -> str:
        return self.between.join(self.validation)


def load_corpus(
    name: str | Path, sha256: str | None = None, seed: int = 0, field: str = "text",
    end_of_text: bool = False, earlier: bool = False,
) -> Corpus:
    """A corpus by name, or from files: "python-docs", "stories:10MB", "stories:short:4MB",
    "tinyshakespeare", "https://…" with its `sha256`, "book.txt", "notes/", "notes/*.md",
    "chats.jsonl", a directory that `npgpt prepare` wrote.

    A text file is cut into documents of a few paragraphs that joined are the text again (see
    `cut_into_documents`), as are other sources of fewer than 20 documents, which an empty
    line joins; about a tenth of any corpus is held out for validation, chosen by the
    documents' hashes (see `split_documents`). `npgpt prepare` cleans text; here it is learned
    as the file holds it, but for the ends of its lines, which are "\\n".

    `seed`: of the stories. `field`: of a JSON object, the one that holds its text.
    `end_of_text`: documents are whole ones, and a text file's end at <|endoftext|>.
    `earlier`: text files as versions cut and joined them that knew of no `between`.
    """
    name = str(name)
    between = END_OF_TEXT if end_of_text else JOINT
    if name == "python-docs":
        return _corpus(name, python_docs(), PYTHON_LICENCE, python_source(), between)
    if name == "stories" or name.startswith("stories:"):
        size = stories_size(name)
        if name.startswith("stories:short"):
            texts = list(short_stories(short_count(size), seed))
        else:
            texts = list(stories(story_count(size), seed))
        return _corpus(name, texts, "CC0-1.0", f"npgpt.text.stories, seed {seed}", between)
    path, licence, source = locate(name, sha256)
    if is_prepared(path):
        return _prepared(Path(path), between)
    if os.path.isfile(path) and kind_of(path) == "text":
        text = read_text(Path(path))
        if end_of_text:
            texts = _separated(name, text)
        else:
            texts, between = cut_into_documents(text, earlier=earlier)
        return _corpus(name, texts, licence, source, between)
    texts = _texts(path, field)
    if not texts:
        raise InputError(f"{name} has no text in it")
    if len(texts) < FEW and not end_of_text:
        texts, between = cut_into_documents(JOINT.join(texts), earlier=earlier)
    return _corpus(name, texts, licence, source, between)


def _texts(path: str, name: str) -> list[str]:
    """The documents of files; one that cannot be read is an InputError."""
    texts = []
    for piece in read_pieces(path):
        for document in documents(piece, name):
            if isinstance(document, Dropped):
                hint = "; give --field NAME" if document.reason.startswith("no field") else ""
                raise InputError(
                    f"{document.source}, byte {document.start}: {document.reason}{hint}; "
                    "`npgpt prepare` leaves such text out"
                )
            if document.text.strip():
                texts.append(document.text.replace("\r\n", "\n").strip("\n"))
    return texts


def _separated(name: str, text: str) -> list[str]:
    """What stands between the separators of a text, newlines beside them left out."""
    if END_OF_TEXT not in text:
        raise InputError(
            f"{name} has no {END_OF_TEXT} in it, so it is one document and nothing ends: leave "
            "out --end-of-text, or put it between the documents"
        )
    return [part.strip("\n") for part in text.split(END_OF_TEXT) if part.strip()]


def _prepared(directory: Path, between: str) -> Corpus:
    """What `npgpt prepare` wrote, split as it was split there."""
    prepared = open_prepared(directory)
    for name in TEXTS:
        check_file(directory, prepared.manifest, name)
    train, validation = (
        [json.loads(line)["text"] for line in read_text(directory / name).split("\n") if line]
        for name in TEXTS
    )
    return Corpus(prepared.name, train + validation, train, validation,
                  prepared.sha256, prepared.licence, prepared.source, between)


def _corpus(
    name: str, documents: list[str], licence: str, source: str, between: str = JOINT
) -> Corpus:
    train, validation = split_documents(documents)
    sha256 = hashlib.sha256(between.join(documents).encode()).hexdigest()
    return Corpus(name, documents, train, validation, sha256, licence, source, between)
