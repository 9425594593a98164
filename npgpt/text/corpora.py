"""Texts to learn from: one that is always there, and your own files.

`load_corpus("python-docs")` needs no network: it is the reference prose that
ships inside CPython. `load_corpus("book.txt")` reads a UTF-8 file.
"""

import hashlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from .split import split_documents

KNOWN = ("python-docs",)
JOINT = "\n\n"


@dataclass(frozen=True)
class Corpus:
    """Documents, and which of them are for training and for validation.

    `sha256` is that of `text` in UTF-8: the documents joined by a blank line.
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


def load_corpus(name: str | Path) -> Corpus:
    """A corpus by name, or from a UTF-8 text file.

    A file is cut at blank lines into documents of a few paragraphs (see
    `cut_at_blank_lines`); about a tenth of any corpus is held out for
    validation, chosen by the documents' hashes (see `split_documents`).
    """
    if str(name) == "python-docs":
        return python_docs()
    path = Path(name)
    if not path.exists():
        known = ", ".join(KNOWN)
        raise InputError(f"no corpus and no file is called {str(name)!r}; known corpora: {known}")
    text = read_text(path)
    return _corpus(path.name, cut_at_blank_lines(text), "unknown (your file)", str(path))


def python_docs() -> Corpus:
    """The topics of Python's `help()`, one document for each heading."""
    from pydoc_data.topics import topics

    documents = [part for name in sorted(topics) for part in cut_at_headings(topics[name])]
    version = ".".join(map(str, sys.version_info[:3]))
    return _corpus(
        "python-docs",
        documents,
        "PSF-2.0",
        f"pydoc_data.topics of Python {version}; Python Software Foundation",
    )


def _corpus(name: str, documents: list[str], licence: str, source: str) -> Corpus:
    train, validation = split_documents(documents)
    sha256 = hashlib.sha256(JOINT.join(documents).encode()).hexdigest()
    return Corpus(name, documents, train, validation, sha256, licence, source)


def cut_at_headings(text: str) -> list[str]:
    """Sections of a text whose headings are underlined with one of ``* = - ~ ^``."""
    parts = re.split(r"(?m)^(?=\S[^\n]*\n([*=~^-])\1{2,}$)", text)[::2]
    return [part.strip("\n") for part in parts if part.strip()]


def cut_at_blank_lines(text: str, pieces: int = 200, least: int = 200) -> list[str]:
    """Documents of some paragraphs each, about `pieces` of them, `least` characters at least.

    Joined by a blank line they are the text again. A text with fewer than two
    such paragraphs is cut at its line ends instead, and one without line ends
    after every so many characters.
    """
    size = max(least, len(text) // pieces)
    for gap in ("\n\n", "\n"):
        documents, start = [], 0
        while start < len(text):
            end = text.find(gap, start + size)
            end = len(text) if end < 0 else end
            documents.append(text[start:end])
            start = end + len(gap)
        if len(documents) > 1:
            return documents
    return [text[start : start + size] for start in range(0, len(text), size)]


def read_text(path: Path) -> str:
    """A file's UTF-8 text with "\\n" line ends; what cannot be read is an InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8: byte {data[error.start]:#04x} at offset {error.start}; "
            "convert it, for example with iconv -t utf-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{path} is empty; give a file with text in it")
    return text
