"""Telephone numbers: those that a country's numbering plan knows."""

import re
from collections.abc import Iterator
from functools import lru_cache

from npgpt.text.prepare.personal.libraries import load

Span = tuple[int, int]
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "CH", "AT", "JP", "IN", "BR")
LEAST_DIGITS, MOST_DIGITS = 8, 15  # more digits in a row of groups are a table's
# groups of digits with one thing between two of them, and as many groups as there are
_BETWEEN = r"(?: ?[-‑–−/.] ?|[ ~\u00a0]|\) ?| ?\()"
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9_.,$€#*^-])(?<!\d )(?>\(?\+?\(?\d++(?:{_BETWEEN}\d++)*+)(?![A-Za-z_*^%]|,\d)"
)
_DOTTED = re.compile(r"\+?\d{1,4}(?:\.\d{2,4}){2}|\d\d(?:\.\d\d){4}")
_DATE = re.compile(r"(?:1[5-9]|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d")
_BARE = re.compile(r"[^+\d]*\d+\D*")
_NAMED = re.compile(
    r"(?:\b(?:tel|tél|mob|cell|ph|ruf|sms|call|ring|text|dial)|phone|fax|handy|whatsapp|hotline"
    r"|電話|携帯|тел)[^\d\n]{0,24}$", re.I)


def telephones(text: str) -> Iterator[Span]:
    """What a country's numbering plan knows, written in its groups, or called a number."""
    for candidate in _NUMBER.finditer(text):
        digits = sum(map(str.isdigit, candidate[0]))
        if not LEAST_DIGITS <= digits <= MOST_DIGITS or _DATE.fullmatch(candidate[0]):
            continue
        if "." in candidate[0] and not _DOTTED.fullmatch(candidate[0]):  # decimal numbers
            continue
        start = candidate.start()
        before = text[max(0, start - 32) : start]
        piece = text[start : candidate.end() + 1].replace("~", " ")
        for first, last in _numbers(piece, bool(_NAMED.search(before))):
            yield start + first, start + last


@lru_cache(1 << 12)
def _numbers(piece: str, named: bool) -> tuple[Span, ...]:
    """Where numbers are, by the country that finds most. A number that is not called one, and
    that neither +, 0 nor a bracket leads, must be in exactly the groups of its country."""
    phonenumbers = load("phonenumbers")
    valid, strict, exact = (
        getattr(phonenumbers.Leniency, name)
        for name in ("VALID", "STRICT_GROUPING", "EXACT_GROUPING")
    )
    plain = re.sub(r"(?<!\d)00(?=[1-9])", " +", piece)  # as long
    led = re.match(r"\D*?[+0(]", plain)
    how = valid if named else strict if led else exact
    best: tuple[Span, ...] = ()
    for region in REGIONS:
        found = tuple(
            (match.start - (piece[match.start] == "0" and plain[match.start] == "+"), match.end)
            for match in phonenumbers.PhoneNumberMatcher(plain, region, how)
            if (named or not _BARE.fullmatch(match.raw_string))
            and sum(map(str.isdigit, match.raw_string)) >= LEAST_DIGITS
        )
        best = max(best, found, key=lambda spans: sum(end - start for start, end in spans))
    return best
