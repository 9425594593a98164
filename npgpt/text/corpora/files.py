"""Text files, read whole and cut into documents."""

import gzip
import zlib
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import read_bytes, shell_quote
from npgpt.text.prepare.encodings import decoded, likely_encoding
from npgpt.text.prepare.split import repeated


def read_text(path: Path) -> str:
    """A file's text, of UTF-8 or what its byte-order mark says, with "\\n" at its lines' ends;
    what cannot be read is an InputError."""
    try:
        data = read_bytes(path)
        packed = path.suffix == ".gz"
        data = gzip.decompress(data) if packed else data
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path} is a broken gzip file") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    try:
        text = decoded(data)
        wrong = "it is full of zero bytes" if likely_encoding(data).startswith("UTF-16") else ""
    except UnicodeDecodeError as error:
        wrong = f"byte {data[error.start]:#04x} at offset {error.start}"
    if wrong and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path} is not UTF-8: {wrong}; convert it, probably with "
                         + how_to_convert(path, likely_encoding(data), packed))
    if wrong.startswith("byte"):
        raise InputError(f"{path} is cut off: it begins as UTF-16, and has {wrong}")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(f"{path} is empty; give a file with text in it")
    return text


def how_to_convert(path: Path, encoding: str, packed: bool) -> str:
    """A command that makes UTF-8 of a file, and the new file's name."""
    unpack, name = ("gunzip -c ", path.with_suffix("")) if packed else ("", path)
    new = shell_quote(name.with_suffix(f".utf8{name.suffix}"))
    if packed:
        return f"gunzip -c {shell_quote(path)} | iconv -f {encoding} -t UTF-8 > {new}"
    return f"iconv -f {encoding} -t UTF-8 {shell_quote(path)} > {new}"


def cut_into_documents(
    text: str, pieces: int = 200, least: int = 200, earlier: bool = False
) -> tuple[list[str], str]:
    """(documents of some paragraphs each, what stands between them).

    There are about `pieces` of them, of `least` characters at least, and joined they are the
    text again. A text with fewer than two such paragraphs is cut at its lines' ends, and one
    of a single line after every so many characters. A long paragraph that is there several
    times is a document by itself, so that no copy is held out while another is trained on.

    `earlier`: as versions did that put an empty line between all documents.
    """
    for between in ("\n\n", "\n"):
        documents = cut_at(between, text, pieces, least, whole=not earlier)
        if len(documents) > 1:
            return documents, "\n\n" if earlier else between
    size = max(least, len(text) // pieces)
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    return parts, "\n\n" if earlier else ""


def cut_at(between: str, text: str, pieces: int, least: int, whole: bool = True) -> list[str]:
    """The parts of a text, each up to the first `between` after a size."""
    size = max(least, len(text) // pieces)
    if whole:
        parts = text.split(between)
        alone = repeated(parts)
        if any(alone):
            return _gathered(parts, alone, size, between)
    documents: list[str] = []
    start = 0
    while start < len(text):
        end = text.find(between, start + size)
        end = len(text) if end < 0 else end
        documents.append(text[start:end])
        start = end + len(between)
    if whole and documents and start == len(text):
        documents[-1] += between
    return documents


def _gathered(parts: list[str], alone: list[bool], size: int, between: str) -> list[str]:
    """Parts joined up to a size, those alone that are there several times."""
    documents: list[str] = []
    open_for_more = False
    for part, is_alone in zip(parts, alone):
        if open_for_more and not is_alone and len(documents[-1]) < size:
            documents[-1] += between + part
        else:
            documents.append(part)
        open_for_more = not is_alone
    return documents
