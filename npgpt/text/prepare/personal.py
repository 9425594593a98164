"""Step 4: personal data, masked: addresses and numbers that lead to a person.

Found by their form, so it is a net with holes: names, postal addresses and
telephone numbers without a country code or an area code stay.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from npgpt.text.prepare.dedup import shingles, word_hashes
from npgpt.text.prepare.document import Document
from npgpt.text.prepare.settings import Settings

_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP = re.compile(rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\d.]*\d)")
_CARD = re.compile(r"(?<![\d.-])[2-6](?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_PHONE = re.compile(
    r"(?<![\w+.])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w-]|\.\d)"
)


def mask_document(document: Document, settings: Settings) -> Document:
    """The document masked, where that is asked for; masks count as words of its groups."""
    if not settings.mask:
        return document
    text, counts = mask_personal(document.text)
    if not counts:
        return document
    groups, _ = shingles(word_hashes(text))
    return replace(document, text=text, masked=counts, groups=groups)


def mask_personal(text: str) -> tuple[str, dict[str, int]]:
    """The text with <EMAIL>, <IBAN>, <CARD>, <IP>, <PHONE> in their place, and how many of each.

    Card numbers are those whose check digit is right (Luhn), IBANs those
    whose remainder is (ISO 13616).
    """
    counts: dict[str, int] = {}

    def mask(pattern: re.Pattern[str], name: str, holds: Callable[[str], bool] = bool) -> None:
        nonlocal text

        def one(match: re.Match[str]) -> str:
            if not holds(match[0]):
                return match[0]
            counts[name] = counts.get(name, 0) + 1
            return f"<{name.upper()}>"

        text = pattern.sub(one, text)

    if "@" in text:
        mask(_EMAIL, "email")
    if _DIGITS.search(text):
        mask(_IBAN, "iban", _iban)
        mask(_CARD, "card", _luhn)
        mask(_IP, "ip")
        mask(_PHONE, "phone", lambda found: 8 <= sum(map(str.isdigit, found)) <= 15)
    return text, counts


_DIGITS = re.compile(r"\d[\d ().+-]{5}")  # what every number above holds


def _luhn(found: str) -> bool:
    digits = [int(character) for character in found if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(found: str) -> bool:
    compact = found.replace(" ", "")
    rotated = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rotated)) % 97 == 1
