"""Texts to learn from: two that are always there, some with a network, and your own files."""

import glob
import gzip
import hashlib
import json
import os
import re
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.download import REMOTE, fetch
from npgpt.text.prepared import check_file, is_prepared, open_prepared
from npgpt.text.sources import documents, kind_of, read_pieces
from npgpt.text.split import split_documents
from npgpt.text.stories import stories, story_count

KNOWN = ("python-docs", "stories", *REMOTE)
JOINT = "\n\n"


@dataclass(frozen=True)
class Corpus:
    """Documents, and which of them are for training and for validation.

    `sha256` is that of `text` in UTF-8: the documents joined by a blank line;
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

    A text file is cut at blank lines into documents of a few paragraphs (see
    `cut_at_blank_lines`), as are other sources of fewer than 20 documents;
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
        return _corpus(name, cut_at_blank_lines(read_text(Path(path))), licence, source)
    texts = []
    for piece in read_pieces(path):
        for start, text, problem in documents(piece):
            if problem:
                raise InputError(
                    f"{piece.source}, byte {start}: {problem}; `npgpt prepare` leaves such text out"
                )
            if text.strip():
                texts.append(text.replace("\r\n", "\n").strip("\n"))
    if not texts:
        raise InputError(f"{name} has no text in it")
    texts = texts if len(texts) >= 20 else cut_at_blank_lines(JOINT.join(texts))
    return _corpus(name, texts, licence, source)


def is_path(name: str) -> bool:
    """Whether `load_corpus` takes it for files: all that is no known name and no URL."""
    made_here = name in ("python-docs", "stories") or name.startswith("stories:")
    return not (made_here or name in REMOTE or is_url(name))


def is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def locate(name: str, sha256: str | None = None) -> tuple[str, str, str]:
    """(path, licence, source) of a source that is not made here; a URL is fetched first."""
    if name in REMOTE:
        remote = REMOTE[name]
        return str(fetch(remote.url, remote.sha256)), remote.licence, remote.url
    if is_url(name):
        if not sha256:
            raise InputError(f"a URL needs its checksum: give the SHA-256 of {name}")
        return str(fetch(name, sha256)), "unknown", name
    if not os.path.lexists(name) and not glob.has_magic(name):
        raise InputError(
            f"no corpus and no file is called {name!r}; known corpora: {', '.join(KNOWN)}"
        )
    return name, "unknown (your files)", name


def stories_size(name: str) -> int:
    """The bytes that "stories:10MB" asks for; a megabyte where it names no size."""
    found = re.fullmatch(r"stories(?::(\d{1,9}(?:\.\d{1,9})?)(kB|KB|MB|GB))?", name)
    if not found or (found[1] and not float(found[1])):
        raise InputError(f"{name!r} is not a size of stories; say for example stories:10MB")
    unit = {"KB": 1e3, "MB": 1e6, "GB": 1e9}
    return int(float(found[1]) * unit[found[2].upper()]) if found[1] else 1_000_000


PYTHON_LICENCE = "PSF-2.0"


def python_source() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return f"pydoc_data.topics of Python {version}; Python Software Foundation"


def python_docs() -> list[str]:
    """The topics of Python's `help()`, one document for each heading."""
    from pydoc_data.topics import topics

    return [part for name in sorted(topics) for part in cut_at_headings(topics[name])]


def _prepared(directory: Path) -> Corpus:
    """What `npgpt prepare` wrote, split as it was split there."""
    prepared = open_prepared(directory)
    for name in ("train.jsonl", "validation.jsonl"):
        check_file(directory, prepared.manifest, name)
    train, validation = (
        [json.loads(line)["text"] for line in read_text(directory / name).split("\n") if line]
        for name in ("train.jsonl", "validation.jsonl")
    )
    return Corpus(prepared.name, train + validation, train, validation,
                  prepared.sha256, prepared.licence, prepared.source)


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
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is a broken gzip file") from None
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
