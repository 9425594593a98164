"""Step 2: what an HTML page says, without its tags."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from npgpt.text.prepare.document import Document, Dropped
from npgpt.text.prepare.settings import Settings

_GAP = re.compile(r"\n{3,}")


def strip_document(document: Document, settings: Settings) -> Document | Dropped:
    """A page without its tags; other documents as they are."""
    if document.kind != "html" and not looks_like_html(document.text):
        return document
    try:
        return replace(document, text=strip_html(document.text))
    except (AssertionError, ValueError, RecursionError):
        return document.drop("broken HTML")


def looks_like_html(text: str) -> bool:
    """Does a text begin as a page does?"""
    return text[:200].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html"))


def strip_html(page: str) -> str:
    """What a page says: paragraphs apart, no scripts, styles, menus and footers."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return _GAP.sub("\n\n", "".join(reader.parts)).strip()


_SILENT = {"script", "style", "noscript", "template", "nav", "footer", "svg", "iframe", "select"}
_APART = {
    *("address", "article", "aside", "blockquote", "body", "dd", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main"),
    *("ol", "p", "pre", "section", "table", "title", "ul"),
}
_GAPS = dict.fromkeys(_APART, "\n\n") | dict.fromkeys(("br", "li", "tr", "option"), "\n")
_GAPS |= {"td": " ", "th": " "}
_SPACES = " \t\r\n\f"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._gap = ""  # what stands before the next words: the widest since the last
        self._silent: list[str] = []
        self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        self._pre += tag == "pre"
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        self._pre = max(0, self._pre - (tag == "pre"))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        after = ""
        if not self._pre:
            if data[:1] in _SPACES:
                self._gap = self._gap or " "
            after = " " if data[-1:] in _SPACES else ""
            data = re.sub(f"[{_SPACES}]+", " ", data).strip(" ")
        if data:
            self.parts += [self._gap, data]
            self._gap = after

    def _break(self, tag: str) -> None:
        if not self._silent:
            self._gap = max(self._gap, _GAPS.get(tag, ""), key=_width)


def _width(gap: str) -> int:
    return 2 * gap.count("\n") + len(gap)
