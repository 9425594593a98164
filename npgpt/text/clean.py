"""One form for text that looks the same: HTML stripped, Unicode normalised, blanks tidied."""

import re
import unicodedata
from html.parser import HTMLParser
from typing import Literal, get_args

Form = Literal["NFC", "NFKC"]
FORMS = get_args(Form)

# What shows nothing: control characters but tab and line end, soft hyphen, zero-width
# signs, marks of writing direction, the byte order mark, surrogates, what is no character.
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile(r"[ \t]+\n")
_GAP = re.compile(r"\n{3,}")


def clean(text: str, form: Form = "NFC") -> str:
    """Text in Unicode's normal form, without invisible characters, with tidy blanks.

    Line ends become "\\n", other Unicode blanks a space; blanks at a line's
    end go, and so do all but one of several blank lines. Blanks that indent
    or align are kept, since code and tables live by them.
    """
    if not text.isprintable():
        text = _LINE_END.sub("\n", text)
        text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize(form, text)
        text = _BLANK.sub(" ", text)
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    if "\n\n\n" in text:
        text = _GAP.sub("\n\n", text)
    return text.rstrip().lstrip("\n")


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
_BLANKS = " \t\r\n\f"


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
            if data[:1] in _BLANKS:
                self._gap = self._gap or " "
            after = " " if data[-1:] in _BLANKS else ""
            data = re.sub(f"[{_BLANKS}]+", " ", data).strip(" ")
        if data:
            self.parts += [self._gap, data]
            self._gap = after

    def _break(self, tag: str) -> None:
        if not self._silent:
            self._gap = max(self._gap, _GAPS.get(tag, ""), key=_width)


def _width(gap: str) -> int:
    return 2 * gap.count("\n") + len(gap)
