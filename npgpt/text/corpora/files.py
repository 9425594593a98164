"""Text files, read whole and cut into documents."""

import gzip
import zlib
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import read_bytes


def read_text(path: Path) -> str:
    """A file's UTF-8 text with "\\n" line ends; what cannot be read is an InputError."""
    try:
        data = read_bytes(path)
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


def cut_at_empty_lines(text: str, pieces: int = 200, least: int = 200) -> list[str]:
    """Documents of some paragraphs each, about `pieces` of them, `least` characters at least.

    Joined by an empty line they are the text again. A text with fewer than two
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
