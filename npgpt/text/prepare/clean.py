"""Step 2: one form for text that looks the same: Unicode normalised, spaces tidied."""

import re
import unicodedata
from dataclasses import replace

from npgpt.text.prepare.document import Document
from npgpt.text.prepare.settings import Form, Settings

# What shows nothing: control characters but tab and newline, soft hyphen, zero-width
# characters, marks of writing direction, the byte order mark, surrogates, what is no character.
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_TRAILING = re.compile(r"[ \t]+\n")
_GAP = re.compile(r"\n{3,}")


def clean_document(document: Document, settings: Settings) -> Document:
    return replace(document, text=clean(document.text, settings.form))


def clean(text: str, form: Form = "NFC") -> str:
    """Text in Unicode's normal form, without invisible characters, with tidy spaces.

    Every line ends with "\\n"; other Unicode spaces become a plain one; spaces at a line's
    end go, and so do all but one of several empty lines. Spaces that indent
    or align stay: code and tables need them.
    """
    if not text.isprintable():
        text = _NEWLINE.sub("\n", text)
        text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize(form, text)
        text = _SPACE.sub(" ", text)
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    if "\n\n\n" in text:
        text = _GAP.sub("\n\n", text)
    return text.rstrip().lstrip("\n")
