"""Step 1: raw text, piece by piece, from wherever it lies; memory does not grow with a file.

A source is the name of a corpus, a file, a directory, or a pattern such as
``notes/**/*.md``. Files are text, HTML (one document each), JSONL (one document a
line) or JSON (a list of documents), each of them also compressed as ``.gz``.
Hidden files and directories are left out; a folder that is linked to is read once.
"""

import glob
import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.text.prepare.encodings import Recoded, encoding_of
from npgpt.text.tokenizers.special_tokens import END_OF_TEXT

PIECE = 1 << 20  # bytes read from a long file at once
WHOLE = 16 << 10  # a text file up to this size is one document; so is no longer part of a longer
ALONE = 1000  # the same of a file that is the whole source: else nothing could be held out
LARGEST = 8 << 20  # the largest HTML page or JSONL line
LARGEST_JSON = 64 << 20  # the largest JSON file, which is read whole
END = END_OF_TEXT.encode()


@dataclass(frozen=True)
class Piece:
    """Some raw bytes of a file, cut where a document ends; or a problem instead.

    `kind` is "document" (one), "text" (to be cut at empty lines), "separated" (to be cut
    at <|endoftext|>), "html", "jsonl", "json", or "stories" (how many, and their seed: they
    are made where they are read). `start` is the position of its first byte in the file, as
    UTF-8.
    """

    source: str
    kind: str
    start: int
    data: bytes
    problem: str = ""


def read_pieces(source: str | Path, end_of_text: bool = False) -> Iterator[Piece]:
    """The pieces of a file, a directory or a pattern, in the order of the files' names.

    Names are relative to the directory. `end_of_text`: text files that have <|endoftext|> in
    them are cut there. What cannot be read is a piece with a
    problem; that the source itself is missing or empty is an InputError.
    """
    path = Path(source)
    if path.is_dir():
        unreadable: list[OSError] = []
        files = sorted(_files_below(path, unreadable))
        if not files and not unreadable:
            raise InputError(f"{path} has no files in it; hidden ones are not read")
        for name in files:
            yield from _read_file(path / name, name, end_of_text)
        for error in unreadable:
            name = Path(error.filename).relative_to(path).as_posix()
            yield Piece(printable(name), "text", 0, b"", f"unreadable: {error.strerror}")
    elif os.path.lexists(path):
        yield from _read_file(path, path.name, end_of_text, min(WHOLE, ALONE))
    elif glob.has_magic(str(source)):
        found = sorted(p for p in glob.glob(str(source), recursive=True) if not os.path.isdir(p))
        if not found:
            raise InputError(f"no file matches {str(source)!r}")
        for name in found:
            yield from _read_file(Path(name), Path(name).as_posix(), end_of_text)
    else:
        raise InputError(f"there is no file {str(source)!r}")


def _files_below(directory: Path, unreadable: list[OSError]) -> Iterator[str]:
    """Names below a directory: first those in its own folders, then in the folders that are
    linked to, each folder once, whatever the number of ways to it."""
    known: set[tuple[int, int]] = set()
    waiting = [directory]
    while waiting:
        linked: list[Path] = []
        for start in waiting:
            for folder, folders, files in os.walk(start, onerror=unreadable.append):
                if not _is_new(Path(folder), known):
                    folders.clear()
                    continue
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                linked += [Path(folder) / name for name in folders
                           if os.path.islink(os.path.join(folder, name))]
                for name in files:
                    if not name.startswith("."):
                        yield (Path(folder) / name).relative_to(directory).as_posix()
        waiting = linked


def _is_new(folder: Path, known: set[tuple[int, int]]) -> bool:
    """Whether a folder was not met before; from then on it is known."""
    about = folder.stat()
    before = len(known)
    known.add((about.st_dev, about.st_ino))
    return len(known) > before


KINDS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".html": "html", ".htm": "html", ".xhtml": "html",
}


def kind_of(name: str) -> str:
    """How a file is read, by its name's ending (before ``.gz``)."""
    ending = Path(name.lower().removesuffix(".gz")).suffix
    return KINDS.get(ending, "text")


def printable(name: str) -> str:
    """A file's name as text that can be written, also where it is not UTF-8."""
    return name.encode(errors="replace").decode()


def _read_file(path: Path, name: str, end_of_text: bool, whole: int = 0) -> Iterator[Piece]:
    name = printable(name)
    kind, start = kind_of(name), 0
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            yield Piece(name, kind, 0, b"", "not a regular file")
            return
        with path.open("rb") as raw:
            file = gzip.GzipFile(fileobj=raw) if name.lower().endswith(".gz") else raw
            for piece in _read_open(file, kind, name, end_of_text, whole or WHOLE):
                start = piece.start + len(piece.data)
                yield piece
    except UnicodeError:
        yield Piece(name, kind, start, b"", "broken UTF-16")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield Piece(name, kind, start, b"", "broken gzip file")
    except OSError as error:
        yield Piece(name, kind, start, b"", f"unreadable: {error.strerror}")


def _read_open(
    file: Any, kind: str, name: str, end_of_text: bool, whole: int
) -> Iterator[Piece]:
    encoding = encoding_of(file.read(4))
    file.seek(0)
    if encoding != "utf-8":
        file = Recoded(file, encoding)
    data = file.read(PIECE)
    if not data:
        yield Piece(name, kind, 0, b"", "empty file")
    elif b"\0" in data[:8192]:
        yield Piece(name, kind, 0, b"", "binary file")
    elif kind == "jsonl":
        file.seek(0)
        yield from _read_lines(file, name)
    elif kind in ("html", "json"):
        largest, what = (LARGEST, "HTML page") if kind == "html" else (LARGEST_JSON, "JSON file")
        data += file.read(largest)
        if len(data) > largest:
            yield Piece(name, kind, 0, b"", f"{what} of more than {largest >> 20} MiB")
        else:
            yield Piece(name, kind, 0, data)
    elif end_of_text and END in data:
        yield from _read_parts(file, data, name, "separated", _last_end)
    elif len(data) <= whole:
        yield Piece(name, "document", 0, data)
    else:
        yield from _read_parts(file, data, name, "text", last_break)


def _read_parts(
    file: Any, data: bytes, name: str, kind: str, last: Callable[[bytes], int]
) -> Iterator[Piece]:
    """A long file in pieces, each up to where its `last` document ends."""
    start = 0
    while data:
        more = file.read(PIECE)
        cut = last(data) if more else len(data)
        if cut:
            yield Piece(name, kind, start, data[:cut])
        start, data = start + cut, data[cut:] + more


def _last_end(data: bytes) -> int:
    """The end of the last document but one; 0, to read on, where none has ended yet."""
    found = data.rfind(END)
    return found + len(END) if found >= 0 else len(data) if len(data) > LARGEST else 0


def _read_lines(file: Any, name: str) -> Iterator[Piece]:
    lines: list[bytes] = []
    start = size = 0
    while line := file.readline(LARGEST):
        too_long = len(line) >= LARGEST and not line.endswith(b"\n")
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


def last_break(data: bytes) -> int:
    """Where the last paragraph of some text begins; or else its last line, or character."""
    cut = max(data.rfind(b"\n\n") + 2, data.rfind(b"\n\r\n") + 3)
    cut = cut if cut > 2 else data.rfind(b"\n") + 1
    if cut:
        return cut
    for back in range(1, 5):
        if data[-back] >= 0xC0:
            return len(data) - back
    return len(data)


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
