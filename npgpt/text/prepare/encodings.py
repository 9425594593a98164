"""Text in other encodings than UTF-8: told by a byte-order mark, or as a page declares."""

import codecs
import io
import re
from typing import Any

_MARKS = {  # the longer ones first
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}
_DECLARED = re.compile(
    rb"""<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
_AS_BROWSERS = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}


def encoding_of(data: bytes) -> str:
    """utf-16 or utf-32 where a byte-order mark begins the data, else utf-8."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")


def decoded(data: bytes) -> str:
    """A whole text file's text; UnicodeDecodeError where it is in another encoding."""
    encoding = encoding_of(data)
    return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)


def page_text(data: bytes) -> tuple[str, str]:
    """(text, "") of an HTML page, or ("", what is wrong): UTF-8, or the charset it declares."""
    found = _DECLARED.search(data[:2048])
    declared = found[1].decode().lower() if found else "utf-8"
    declared = _AS_BROWSERS.get(declared, declared)
    # many pages are UTF-8 and say otherwise; what is ASCII may be written in escapes
    for encoding in (declared, "utf-8-sig") if data.isascii() else ("utf-8-sig", declared):
        try:
            return data.decode(encoding), ""
        except LookupError:
            return "", f"unknown charset {declared}"
        except UnicodeError:
            continue
    return "", "not UTF-8" if declared == "utf-8" else f"not {declared}"


def likely_encoding(data: bytes) -> str:
    """What a file that is not UTF-8 is probably in, by the name that iconv knows."""
    pairs = max(1, len(data[:8192]) // 2)
    if data[1:8192:2].count(0) > 0.3 * pairs:
        return "UTF-16LE"
    if data[:8192:2].count(0) > 0.3 * pairs:
        return "UTF-16BE"
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "ISO-8859-1"
    return "WINDOWS-1252"


class Recoded:
    """A binary file in another encoding, read as UTF-8; sizes are about those asked for."""

    def __init__(self, file: Any, encoding: str) -> None:
        self.text = io.TextIOWrapper(file, encoding, newline="\n")

    def read(self, size: int) -> bytes:
        return self.text.read(size).encode()

    def readline(self, size: int) -> bytes:
        return self.text.readline(size).encode()

    def seek(self, position: int) -> None:
        self.text.seek(position)
