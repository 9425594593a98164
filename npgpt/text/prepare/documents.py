"""Step 1, its second half: the documents in a piece of raw text."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from npgpt.text.corpora.stories import stories
from npgpt.text.prepare import sources
from npgpt.text.prepare.document import Document, Dropped
from npgpt.text.prepare.encodings import page_text
from npgpt.text.prepare.sources import END, Piece, last_break
from npgpt.text.prepare.split import repeated


def documents(piece: Piece, name: str = "text") -> Iterator[Document | Dropped]:
    """The documents of a piece; dropped at once are those that cannot be read. `name`: the
    field of a JSON object that holds the text."""
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
                yield _document(piece, start, *_json_text(line, name))
            start += len(line)
    elif piece.kind == "json":
        yield from _json_documents(piece, name)
    elif piece.kind == "html":
        yield _document(piece, piece.start, *page_text(piece.data))
    else:
        cut = {"text": _cut, "separated": _cut_at_ends}.get(piece.kind)
        for start, data in cut(piece.data) if cut else [(0, piece.data)]:
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


def _json_text(line: bytes, name: str) -> tuple[str, str]:
    text, problem = _decoded(line, 0)
    if problem:
        return "", problem
    try:
        return _field(json.loads(text), name)
    except (ValueError, RecursionError):
        return "", "not JSON"


def _json_documents(piece: Piece, name: str) -> Iterator[Document | Dropped]:
    """A JSON file: a list of objects or of strings, or one object; numbered, from 0."""
    text, problem = _decoded(piece.data, 0)
    if not problem:
        try:
            whole = json.loads(text)
        except (ValueError, RecursionError):
            problem = "not JSON"
    if problem:
        yield Dropped(piece.source, 0, "", problem)
        return
    for number, item in enumerate(whole if isinstance(whole, list) else [whole]):
        found = (item, "") if isinstance(item, str) else _field(item, name)
        yield _document(piece, number, *_writable(*found))


def _field(item: Any, name: str) -> tuple[str, str]:
    text = item.get(name) if isinstance(item, dict) else None
    return _writable(text, "") if isinstance(text, str) else ("", f'no field "{name}"')


def _writable(text: str, problem: str) -> tuple[str, str]:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "", "half of a surrogate pair"
    return text, problem


SHORTEST = 4000  # bytes of a longer file's documents, at least; less where it is not so long
_EMPTY_LINE = re.compile(rb"\n[ \t\r]*\n")


def _cut(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A long text in documents: each ends at the first empty line after `SHORTEST`
    bytes, or where there is none before `WHOLE`, at a line's or a character's end. A
    paragraph that is there several times, in this piece of about a megabyte, is a document
    by itself: its copies are dropped as duplicates, and none is held out while another is
    trained on."""
    shortest = min(SHORTEST, max(500, len(data) // 50))
    start = 0
    for end in [*_around_repeats(data), len(data)]:
        while start < end:
            found = _EMPTY_LINE.search(data, start + shortest, min(end, start + sources.WHOLE))
            cut = found.end() if found else min(start + sources.WHOLE, end)
            if not found and cut < end:
                cut = start + last_break(data[start:cut])
            yield start, data[start:cut]
            start = cut


def _around_repeats(data: bytes) -> list[int]:
    """Where paragraphs begin and end that are there several times."""
    edges = [0, *(match.end() for match in _EMPTY_LINE.finditer(data)), len(data)]
    spans = list(pairwise(edges))
    again = repeated([data[start:end].decode(errors="replace") for start, end in spans])
    return sorted({edge for span, is_again in zip(spans, again) if is_again for edge in span})


def _cut_at_ends(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    for part in data.split(END):
        if part.strip():
            yield start, part
        start += len(part) + len(END)
