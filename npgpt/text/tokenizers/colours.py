"""A text's tokens made visible: each piece with its id, in colours that alternate."""

import html
from collections.abc import Iterable
from typing import Any

# pale backgrounds for dark text; neighbours differ in brightness as well
COLOURS = ("#cfe8ff", "#ffe3b0", "#d3f2cf", "#f7d0e0", "#e2dafb")


def pieces(tokenizer: Any, ids: Iterable[int]) -> list[tuple[int, str]]:
    """Each id with its text as it can be printed: characters that do not print, and bytes
    that are part of a character only, as escapes such as \\n or \\xe2."""
    found = []
    for id in ids:
        data = tokenizer.decode_bytes([id])
        text = data.decode("utf-8", errors="backslashreplace")
        text = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
        )
        found.append((int(id), text))
    return found


def coloured_html(tokenizer: Any, ids: Iterable[int]) -> str:
    """A <div> with one coloured <span> a token; its title is the id."""
    spans = []
    for n, (id, text) in enumerate(pieces(tokenizer, ids)):
        colour = COLOURS[n % len(COLOURS)]
        escaped = html.escape(text).replace(" ", "&nbsp;")
        spans.append(f'<span title="{id}" style="background:{colour}">{escaped}</span>')
        if text.endswith("\\n"):
            spans.append("<br>")
    style = "font-family:monospace;line-height:1.7;color:#222;overflow-wrap:anywhere"
    return f'<div style="{style}">' + "<wbr>".join(spans) + "</div>\n"


def html_page(tokenizer: Any, ids: Iterable[int]) -> str:
    """`coloured_html` as a page of its own."""
    head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Tokens</title>\n'
    return head + coloured_html(tokenizer, ids) + "</html>\n"
