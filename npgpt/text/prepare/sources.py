"""Step 1: raw text, piece by piece, from wherever it lies; memory does not grow with a file.

A source is the name of a corpus, a file, a directory, or a pattern such as
``notes/**/*.md``. Files are text, HTML (one document each) or JSONL (one
document a line, its field "text"), each of them also compressed as ``.gz``.
Hidden files and directories are left out.
"""

import glob
import gzip
import io
import json
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare.document import Document, Dropped

PIECE = 1 << 20  # bytes read from a long file at once
WHOLE = 16 << 10  # a text file up to this size is one document; so is no longer part of a longer
SHORTEST = 4000  # bytes of a longer file's documents, at least
LARGEST = 8 << 20  # the largest HTML page or JSONL line


@dataclass(frozen=True)
class Piece:
    """Some raw bytes of a file, cut where a document ends; or a problem instead.

    `kind` is "document" (one), "text" (to be cut at empty lines), "html", "jsonl", or
    "stories" (how many, and their seed: they are made where they are read). `start` is the
    position of its first byte in the file.
    """

    source: str
    kind: str
    start: int
    data: bytes
    problem: str = ""


def read_pieces(source: str | Path) -> Iterator[Piece]:
    """The pieces of a file, a directory or a pattern, in the order of the files' names.

    Names are relative to the directory. What cannot be read is a piece with a
    problem; that the source itself is missing or empty is an InputError.
    """
    path = Path(source)
    if path.is_dir():
        unreadable: list[OSError] = []
        files = sorted(_files_below(path, unreadable))
        if not files and not unreadable:
            raise InputError(f"{path} has no files in it; hidden ones are not read")
        for name in files:
            yield from _read_file(path / name, name)
        for error in unreadable:
            name = Path(error.filename).relative_to(path).as_posix()
            yield Piece(printable(name), "text", 0, b"", f"unreadable: {error.strerror}")
    elif os.path.lexists(path):
        yield from _read_file(path, path.name)
    elif glob.has_magic(str(source)):
        found = sorted(p for p in glob.glob(str(source), recursive=True) if not os.path.isdir(p))
        if not found:
            raise InputError(f"no file matches {str(source)!r}")
        for name in found:
            yield from _read_file(Path(name), Path(name).as_posix())
    else:
        raise InputError(f"there is no file {str(source)!r}")


def _files_below(directory: Path, unreadable: list[OSError]) -> Iterator[str]:
    for folder, folders, files in os.walk(directory, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith("."):
                yield (Path(folder) / name).relative_to(directory).as_posix()


def kind_of(name: str) -> str:
    """How a file is read, by its name's ending (before ``.gz``)."""
    ending = Path(name.lower().removesuffix(".gz")).suffix
    return {".jsonl": "jsonl", ".html": "html", ".htm": "html", ".xhtml": "html"}.get(
        ending, "text"
    )


def printable(name: str) -> str:
    """A file's name as text that can be written, also where it is not UTF-8."""
    return name.encode(errors="replace").decode()


def _read_file(path: Path, name: str) -> Iterator[Piece]:
    name = printable(name)
    kind, start = kind_of(name), 0
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Piece(name, kind, 0, b"", "not a regular file")
            return
        with path.open("rb") as raw:
            file = gzip.GzipFile(fileobj=raw) if name.lower().endswith(".gz") else raw
            for piece in _read_open(file, kind, name):
                start = piece.start + len(piece.data)
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Piece(name, kind, start, b"", "broken gzip file")
    except OSError as error:
        yield Piece(name, kind, start, b"", f"unreadable: {error.strerror}")


def _read_open(file: io.BufferedIOBase, kind: str, name: str) -> Iterator[Piece]:
    data = file.read(PIECE)
    if not data:
        yield Piece(name, kind, 0, b"", "empty file")
    elif b"\0" in data[:8192]:
        yield Piece(name, kind, 0, b"", "binary file")
    elif kind == "jsonl":
        file.seek(0)
        yield from _read_lines(file, name)
    elif kind == "html":
        data += file.read(LARGEST)
        if len(data) > LARGEST:
            yield Piece(name, kind, 0, b"", f"HTML page of more than {LARGEST >> 20} MiB")
        else:
            yield Piece(name, kind, 0, data)
    elif len(data) <= WHOLE:
        yield Piece(name, "document", 0, data)
    else:
        start = 0
        while data:
            more = file.read(PIECE)
            cut = _last_break(data) if more else len(data)
            yield Piece(name, kind, start, data[:cut])
            start, data = start + cut, data[cut:] + more


def _read_lines(file: io.BufferedIOBase, name: str) -> Iterator[Piece]:
    lines: list[bytes] = []
    start = size = 0
    while line := file.readline(LARGEST):
        too_long = len(line) == LARGEST and not line.endswith(b"\n")
        if size + len(line) > PIECE or too_long:
            if lines:
                yield Piece(name, "jsonl", start, b"".join(lines))
            start, lines, size = start + size, [], 0
        if not too_long:
            lines.append(line)
            size += len(line)
            continue
        yield Piece(name, "jsonl", start, b"", f"line of more than {LARGEST >> 20} MiB")
        start += len(line)
        while line and not line.endswith(b"\n"):
            line = file.readline(LARGEST)
            start += len(line)
    if lines:
        yield Piece(name, "jsonl", start, b"".join(lines))


def _last_break(data: bytes) -> int:
    """Where the last paragraph of some text begins; or else its last line, or character."""
    cut = max(data.rfind(b"\n\n") + 2, data.rfind(b"\n\r\n") + 3)
    cut = cut if cut > 2 else data.rfind(b"\n") + 1
    if cut:
        return cut
    for back in range(1, 5):
        if data[-back] >= 0xC0:
            return len(data) - back
    return len(data)


def documents(piece: Piece) -> Iterator[Document | Dropped]:
    """The documents of a piece; dropped at once are those that cannot be read."""
    if piece.problem:
        yield Dropped(piece.source, piece.start, "", piece.problem)
    elif piece.kind == "stories":
        count, seed = map(int, piece.data.split())
        for number, text in enumerate(stories(count, seed, piece.start), piece.start):
            yield _document(piece, number, text, "")
    elif piece.kind == "jsonl":
        start = piece.start
        for line in piece.data.splitlines(keepends=True):
            if line.strip():
                yield _document(piece, start, *_json_text(line))
            start += len(line)
    else:
        whole = piece.kind != "text"
        for start, data in [(0, piece.data)] if whole else _cut(piece.data):
            start += piece.start
            yield _document(piece, start, *_decoded(data, start))


def _document(piece: Piece, start: int, text: str, problem: str) -> Document | Dropped:
    if problem:
        return Dropped(piece.source, start, "", problem)
    return Document(piece.source, start, text, piece.kind, len(text.encode()))


def _decoded(data: bytes, start: int) -> tuple[str, str]:
    """(text, ""), or ("", what is wrong with it)."""
    try:
        return data.decode("utf-8-sig" if start == 0 else "utf-8"), ""
    except UnicodeDecodeError:
        return "", "not UTF-8"


def _json_text(line: bytes) -> tuple[str, str]:
    text, problem = _decoded(line, 0)
    if problem:
        return "", problem
    try:
        text = json.loads(text)["text"]
        text.encode()
    except (json.JSONDecodeError, RecursionError):
        return "", "not JSON"
    except (KeyError, TypeError, AttributeError):
        return "", 'no field "text"'
    except UnicodeEncodeError:
        return "", "half of a surrogate pair"
    return (text, "") if isinstance(text, str) else ("", 'no field "text"')


_EMPTY_LINE = re.compile(rb"\n[ \t\r]*\n")


def _cut(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A long text in documents: each ends at the first empty line after `SHORTEST`
    bytes, or where there is none before `WHOLE`, at a line's or a character's end."""
    start = 0
    while start < len(data):
        found = _EMPTY_LINE.search(data, start + SHORTEST, start + WHOLE)
        end = found.end() if found else min(start + WHOLE, len(data))
        if not found and end < len(data):
            end = start + _last_break(data[start:end])
        yield start, data[start:end]
        start = end


def blocks(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    """Pieces gathered into lists of about `PIECE` bytes: one worker's portion."""
    block: list[Piece] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece.data) + 64
        if size >= PIECE:
            yield block
            block, size = [], 0
    if block:
        yield block
