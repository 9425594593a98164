"""Step 3: why a document is not worth learning from: too short, mostly symbols, repetitive."""

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import regex

from npgpt.text.prepare.dedup import shingles, word_hashes
from npgpt.text.prepare.document import Document, Dropped
from npgpt.text.prepare.settings import Limits, Settings

_UNICODE = {"kana": "Hiragana Katakana"}  # where Unicode's name for a script is another
SCRIPTS = [  # sorted
    *("arabic", "armenian", "bengali", "cyrillic", "devanagari", "ethiopic", "georgian", "greek"),
    *("han", "hangul", "hebrew", "kana", "latin", "tamil", "thai"),
]
_ONE_OF = {
    script: regex.compile(
        "[" + "".join(rf"\p{{scx={name}}}" for name in _UNICODE.get(script, script).split()) + "]"
    )
    for script in SCRIPTS
}
_ASCII = "".join(map(chr, range(128)))
_NO_SYMBOLS = "".join(c for c in _ASCII if c.isspace() or c.isalnum()).encode()
_NOT_ALPHABETIC = "".join(c for c in _ASCII if not c.isalpha()).encode()
_SYMBOL = regex.compile(r"[^\p{L}\p{M}\p{N}\s]")


def filter_document(document: Document, settings: Settings) -> Document | Dropped:
    """The document with the hashes of its words, or the reason why it is dropped."""
    reason = why_not(document.text, 0.0, settings.limits)
    if reason:  # before anything is counted
        return document.drop(reason)
    words = word_hashes(document.text)
    groups, repetition = shingles(words)
    reason = why_not(document.text, repetition, settings.limits)
    return document.drop(reason) if reason else replace(document, words=words, groups=groups)


def why_not(text: str, repetition: float, limits: Limits) -> str:
    """The reason to drop a document, or "".

    `repetition` is how much of its groups of words occurred in it
    before (see `npgpt.text.prepare.dedup.shingles`).
    """
    if not text:
        return "no text"
    if len(text) < limits.shortest:
        return "too short"
    if len(text) > limits.longest:
        return "too long"
    if symbol_ratio(text) > limits.symbols:
        return "too many symbols"
    if repetition > limits.repetition:
        return "repeats itself"
    if limits.script and script_ratio(text, limits.script) < limits.script_share:
        return f"not in {limits.script} script"
    return ""


def symbol_ratio(text: str) -> float:
    """How much of a text, spaces left out, is neither letter, mark nor digit."""
    if text.isascii():
        symbols = len(text.encode().translate(None, _NO_SYMBOLS))
    else:
        symbols = len(_SYMBOL.findall(text))
    others = len(text) - sum(map(text.count, " \n\t"))
    return symbols / max(1, others)


def scripts(text: str) -> dict[str, int]:
    """How many letters of each script."""
    if text.isascii():
        return {"latin": len(text.encode().translate(None, _NOT_ALPHABETIC))}
    counts: dict[str, int] = {}
    for character, count in Counter(text).items():
        if character.isalpha():
            script = _script(character)
            counts[script] = counts.get(script, 0) + count
    return counts


@lru_cache(1 << 16)
def _script(character: str) -> str:
    """Where Unicode gives a letter to several scripts, latin before others."""
    found = [script for script in SCRIPTS if _ONE_OF[script].match(character)]
    return "latin" if "latin" in found else found[0] if found else "other"


def script_ratio(text: str, script: str) -> float:
    """How much of a text's letters is of a script, from 0 to 1; 1 where it has no letters."""
    if script == "latin" and text.isascii():
        return 1.0
    counts = scripts(text)
    return counts.get(script, 0) / (sum(counts.values()) or 1) if counts else 1.0
