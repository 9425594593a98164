"""Text cut into words, as a family's pattern says, and into blocks that can be encoded one
by one."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import regex

from npgpt.text.tokenizers.naive_byte_pairs import PATTERN

BLOCK = 2**18  # characters
# Llama-3's pattern: digits by up to three, a sign before letters is of their word, and
# signs take the ends of lines along
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_find = regex.compile(PATTERN).findall
# the same for ASCII, where Python's own `re` will do: less than half the time.
# Letters come first, for they are frequent, and no ending begins with one
_find_in_ascii = re.compile(
    r" ?[A-Za-z]+|'s|'t|'re|'ve|'m|'ll|'d| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII
).findall
_find_digits = regex.compile(r"\p{N}|\P{N}+").findall
# no word of the pattern goes across the middle of this, and none looks beyond it
_BORDER = regex.compile(r"\S\s")
_BORDER_IN_LINE = regex.compile(r"\S[^\S\r\n]")
_BORDERS = {PATTERN: _BORDER, LLAMA3: _BORDER_IN_LINE, QWEN2: _BORDER_IN_LINE}
_NO_BORDER = regex.compile(r"(?!)")


@dataclass(frozen=True)
class Cutting:
    """How a family cuts text into words, before any pair is merged.

    pattern: a regular expression; each match is a word, and so is what lies between two.
    single_digits: each digit is cut out first, as a word of its own.
    nfc: the text is first put into Unicode's normal form C, so that it does not
    always come back as it was. Python's tables order some 100 marks that the older
    ones of the `tokenizers` library do not know."""

    pattern: str = PATTERN
    single_digits: bool = False
    nfc: bool = False

    def words(self, text: str) -> list[str]:
        """The words of a text; joined, they are the text, in its normal form."""
        if self.nfc:
            text = unicodedata.normalize("NFC", text)
        if self.single_digits:
            pieces = _find_digits(text)
            return [*chain.from_iterable(
                [piece] if piece.isnumeric() and len(piece) == 1 else self._cut(piece)
                for piece in pieces)]
        return self._cut(text)

    def _cut(self, text: str) -> list[str]:
        if self.pattern == PATTERN:
            return cut_words(text)
        if not self._compiled.groups:
            found = self._compiled.findall(text)
            if sum(map(len, found)) == len(text):  # nothing lies between
                return [*filter(None, found)]
        found, end = [], 0
        for match in self._compiled.finditer(text):
            found += [text[end : match.start()], match[0]]
            end = match.end()
        return [*filter(None, [*found, text[end:]])]

    @cached_property
    def _compiled(self) -> regex.Pattern:
        return regex.compile(self.pattern)

    @property
    def border(self) -> regex.Pattern:
        """Where a text may be cut into blocks: for a pattern that is not known, nowhere."""
        return _BORDERS.get(self.pattern, _NO_BORDER)


GPT2 = Cutting()


def cut_words(text: str) -> list[str]:
    """The words of a text by GPT-2's pattern; joined, they are the text."""
    if text.isascii():
        return _find_in_ascii(text)
    # a foreign character here and there costs no more than the words around it
    small = cut_blocks([text], size=300)
    return [*chain.from_iterable(_find_in_ascii(b) if b.isascii() else _find(b) for b in small)]


def cut_blocks(
    texts: Iterable[str], names: Sequence[str] = (), size: int = BLOCK,
    border: regex.Pattern = _BORDER,
) -> Iterator[str]:
    """The texts, joined, in blocks of about `size` characters.

    No word and none of the names (of special tokens) goes across the border of
    two blocks, so a block is as long as its longest word. What is held in memory
    is one of the texts, or one block.
    """
    names = [name for name in names if _BORDER.search(name)]
    waiting: list[str] = []
    length, enough = 0, size
    for text in texts:
        waiting.append(text)
        length += len(text)
        if length < enough:
            continue
        text, start = "".join(waiting), 0
        while (end := _find_border(text, start + size, names, border)) is not None:
            yield text[start:end]
            start = end
        waiting, length = [text[start:]], len(text) - start
        # a word that has no end yet is not searched again for every text
        enough = max(size, 2 * length)
    if length:
        yield "".join(waiting)


def _find_border(
    text: str, start: int, names: Sequence[str], border: regex.Pattern
) -> int | None:
    """Where the text may be cut, at `start` or soon after it."""
    for match in border.finditer(text, max(start - 1, 0)):
        place = match.start() + 1
        if not any(_stands_across(name, text, place) for name in names):
            return place
    return None


def _stands_across(name: str, text: str, border: int) -> bool:
    """Whether the name stands across the border, or might, with the text to come."""
    reach = len(name) - 1
    around = text[max(border - reach, 0) : border + reach]
    return name in around or len(text) < border + reach
