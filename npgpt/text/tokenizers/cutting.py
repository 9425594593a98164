"""Text cut into words, by GPT-2's pattern, and into blocks that can be encoded one by one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import regex

from npgpt.text.tokenizers.naive_byte_pairs import PATTERN

BLOCK = 2**18  # characters
_find = regex.compile(PATTERN).findall
# the same for ASCII, where Python's own `re` will do: less than half the time.
# Letters come first, for they are frequent, and no ending begins with one
_find_in_ascii = re.compile(
    r" ?[A-Za-z]+|'s|'t|'re|'ve|'m|'ll|'d| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII
).findall
# no word of the pattern goes across the middle of this, and none looks beyond it
_BORDER = regex.compile(r"\S\s")


def cut_words(text: str) -> list[str]:
    """The words of a text; joined, they are the text."""
    if text.isascii():
        return _find_in_ascii(text)
    # a foreign character here and there costs no more than the words around it
    small = cut_blocks([text], size=300)
    return [*chain.from_iterable(_find_in_ascii(b) if b.isascii() else _find(b) for b in small)]


def cut_blocks(
    texts: Iterable[str], names: Sequence[str] = (), size: int = BLOCK
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
        while (end := _find_border(text, start + size, names)) is not None:
            yield text[start:end]
            start = end
        waiting, length = [text[start:]], len(text) - start
        # a word that has no end yet is not searched again for every text
        enough = max(size, 2 * length)
    if length:
        yield "".join(waiting)


def _find_border(text: str, start: int, names: Sequence[str]) -> int | None:
    """Where the text may be cut, at `start` or soon after it."""
    for match in _BORDER.finditer(text, max(start - 1, 0)):
        border = match.start() + 1
        if not any(_stands_across(name, text, border) for name in names):
            return border
    return None


def _stands_across(name: str, text: str, border: int) -> bool:
    """Whether the name stands across the border, or might, with the text to come."""
    reach = len(name) - 1
    around = text[max(border - reach, 0) : border + reach]
    return name in around or len(text) < border + reach
