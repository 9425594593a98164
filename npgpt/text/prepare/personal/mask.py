"""Step 4: personal data, masked: addresses and numbers that lead to a person.

Only what proves itself is masked: an e-mail address by a top-level domain that exists, an IP
address by being a public one, a card number and an IBAN by their check digits, a telephone
number by the numbering plan of a country. What is not found is named in `NOT_FOUND`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from npgpt.text.prepare.dedup import shingles, word_hashes
from npgpt.text.prepare.document import Document
from npgpt.text.prepare.personal.check_digits import cards, ibans
from npgpt.text.prepare.personal.emails import emails
from npgpt.text.prepare.personal.ip_addresses import ip_addresses
from npgpt.text.prepare.personal.telephones import REGIONS, telephones
from npgpt.text.prepare.settings import KINDS, Settings

NOT_FOUND = (
    "names and postal addresses; e-mail addresses that are spelt out, as in ann (at) example.org; "
    "IP addresses that are not public, or whose four numbers all look like those of a version; "
    "telephone numbers without an area code, and those of countries other than "
    f"{', '.join(REGIONS)} that neither + nor 00 begins"
)
EXAMPLES = 3  # for each kind

_DIGITS = re.compile(r"\d[\d\s()./~–−+-]{5}")
FINDERS: dict[str, tuple[Callable[[str], Any], Callable[[str], Iterator[tuple[int, int]]]]] = {
    # kind: (whether a text may have some, told quickly; where they are)
    "email": (lambda text: "@" in text, emails),
    "iban": (_DIGITS.search, ibans),
    "card": (_DIGITS.search, cards),
    "ip": (lambda text: text.count(".") > 2 or text.count(":") > 1, ip_addresses),
    "phone": (_DIGITS.search, telephones),
}


def mask_document(document: Document, settings: Settings) -> Document:
    """The document masked, where that is asked for; masks count as words of its groups."""
    if not settings.mask:
        return document
    found = find_personal(document.text, settings.kinds)
    if not found:
        return document
    parts = _parts(document.text, found)
    text = "".join(parts)
    groups, _ = shingles(word_hashes(text))
    return replace(
        document, text=text, groups=groups, masked=_counts(found),
        masked_examples=_examples(document.text, found, parts))


def mask_personal(text: str, kinds: tuple[str, ...] = KINDS) -> tuple[str, dict[str, int]]:
    """The text with <EMAIL>, <IBAN>, <CARD>, <IP>, <PHONE> in their place, and how many of each."""
    found = find_personal(text, kinds)
    return "".join(_parts(text, found)), _counts(found)


def find_personal(text: str, kinds: tuple[str, ...] = KINDS) -> list[tuple[int, int, str]]:
    """(start, end, kind) of what is to be masked, in order; none overlaps another."""
    found: list[tuple[int, int, str]] = []
    for kind, (may_have, find) in FINDERS.items():
        if kind in kinds and may_have(text):
            for start, end in find(text):
                if all(end <= other[0] or start >= other[1] for other in found):
                    found.append((start, end, kind))
    return sorted(found)


def _parts(text: str, found: list[tuple[int, int, str]]) -> list[str]:
    """What is left, and the masks: by turns, beginning and ending with what is left."""
    parts, last = [], 0
    for start, end, kind in found:
        parts += [text[last:start], f"<{kind.upper()}>"]
        last = end
    return [*parts, text[last:]]


def _counts(found: list[tuple[int, int, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, _, kind in found:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _examples(
    text: str, found: list[tuple[int, int, str]], parts: list[str]
) -> dict[str, list[str]]:
    """The first few of each kind with the masked text around them, their middles left out:
    enough to see whether they were rightly masked, too little to reach anybody."""
    examples: dict[str, list[str]] = {}
    for i, (start, end, kind) in enumerate(found):
        some = examples.setdefault(kind, [])
        if len(some) < EXAMPLES:
            before = "".join(parts[max(0, 2 * i - 1) : 2 * i + 1])[-30:]
            after = "".join(parts[2 * i + 2 : 2 * i + 4])[:20]
            shortened = f"{text[start : start + 3]}…{text[end - 3 : end]}"
            some.append(" ".join(f"{before}{shortened}{after}".split()))
    return examples


def first_examples(each: Iterable[dict[str, list[str]]]) -> dict[str, list[str]]:
    """The first few examples of each kind, of several documents'."""
    first: dict[str, list[str]] = {}
    for examples in each:
        for kind, texts in examples.items():
            some = first.setdefault(kind, [])
            some.extend(texts[: EXAMPLES - len(some)])
    return first
