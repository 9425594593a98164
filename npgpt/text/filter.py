"""Why a document is not worth learning from: too short, mostly signs, one thing over and over."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

import regex

# the first code point of each run of letters, and its script
_RUNS = [
    (0x0000, "latin"), (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, "armenian"),
    (0x0590, "hebrew"), (0x0600, "arabic"), (0x0780, "other"), (0x0900, "devanagari"),
    (0x0980, "bengali"), (0x0A00, "other"), (0x0B80, "tamil"), (0x0C00, "other"), (0x0E00, "thai"),
    (0x0E80, "other"), (0x10A0, "georgian"), (0x1100, "hangul"), (0x1200, "ethiopic"),
    (0x13A0, "other"), (0x1C80, "cyrillic"), (0x1C90, "georgian"), (0x1CC0, "other"),
    (0x1D00, "latin"), (0x1F00, "greek"), (0x2000, "other"), (0x2C60, "latin"), (0x2C80, "other"),
    (0x2DE0, "cyrillic"), (0x2E00, "han"), (0x3040, "kana"), (0x3100, "han"), (0x3130, "hangul"),
    (0x3190, "han"), (0xA000, "other"), (0xA640, "cyrillic"), (0xA6A0, "other"), (0xA720, "latin"),
    (0xA800, "other"), (0xAB30, "latin"), (0xAB70, "other"), (0xAC00, "hangul"), (0xD800, "other"),
    (0xF900, "han"), (0xFB00, "latin"), (0xFB13, "armenian"), (0xFB1D, "hebrew"),
    (0xFB50, "arabic"), (0xFE00, "other"), (0xFE70, "arabic"), (0xFF00, "latin"), (0xFF66, "kana"),
    (0xFFA0, "hangul"), (0xFFE0, "other"), (0x20000, "han"), (0x32000, "other"),
]  # fmt: skip
_STARTS = [start for start, _ in _RUNS]
SCRIPTS = sorted({script for _, script in _RUNS} - {"other"})
_ASCII = "".join(map(chr, range(128)))
_NO_SYMBOLS = "".join(sign for sign in _ASCII if sign.isspace() or sign.isalnum()).encode()
_NO_LETTERS = "".join(sign for sign in _ASCII if not sign.isalpha()).encode()
_SYMBOL = regex.compile(r"[^\p{L}\p{M}\p{N}\s]")


@dataclass(frozen=True)
class Limits:
    """What a document must be; lengths in characters, shares of its characters or word groups."""

    shortest: int = 50
    longest: int = 1_000_000
    symbols: float = 0.4
    repetition: float = 0.6
    script: str = ""
    script_share: float = 0.8


def why_not(text: str, repetition: float, limits: Limits) -> str:
    """The reason to drop a document, or "".

    `repetition` is the share of its groups of words that occurred in it
    before (see `npgpt.text.dedup.shingles`).
    """
    if not text:
        return "no text"
    if len(text) < limits.shortest:
        return "too short"
    if len(text) > limits.longest:
        return "too long"
    if symbol_share(text) > limits.symbols:
        return "too many symbols"
    if repetition > limits.repetition:
        return "repeats itself"
    if limits.script and script_share(text, limits.script) < limits.script_share:
        return f"not in {limits.script} script"
    return ""


def symbol_share(text: str) -> float:
    """How much of a text, blanks left out, is neither letter, mark nor digit."""
    if text.isascii():
        symbols = len(text.encode().translate(None, _NO_SYMBOLS))
    else:
        symbols = len(_SYMBOL.findall(text))
    shown = len(text) - sum(map(text.count, " \n\t"))
    return symbols / max(1, shown)


def scripts(text: str) -> dict[str, int]:
    """How many letters of each script."""
    if text.isascii():
        return {"latin": len(text.encode().translate(None, _NO_LETTERS))}
    counts: dict[str, int] = {}
    for letter, count in Counter(text).items():
        if letter.isalpha():
            script = _RUNS[bisect_right(_STARTS, ord(letter)) - 1][1]
            counts[script] = counts.get(script, 0) + count
    return counts


def script_share(text: str, script: str) -> float:
    """The share of a text's letters that are of a script; 1 where it has no letters."""
    if script == "latin" and text.isascii():
        return 1.0
    counts = scripts(text)
    return counts.get(script, 0) / (sum(counts.values()) or 1) if counts else 1.0
