"""Card numbers and bank accounts: their check digits prove them."""

import re
from collections.abc import Iterator

_CARD = re.compile(
    r"(?<![\w.-])(?<!\d )(?:\d{13,16}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{5})"
    r"(?![\w-]| \d)"
)
_ISSUERS = {"2": (16,), "3": (14, 15, 16), "4": (13, 16), "5": (16,), "6": (16,)}
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


def cards(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _CARD.finditer(text) if _is_card(match[0]))


def ibans(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _IBAN.finditer(text) if _iban(match[0]))


def _is_card(found: str) -> bool:
    """As long as its issuer makes them, with the right check digit (Luhn)."""
    digits = [int(character) for character in found if character.isdigit()]
    if len(digits) not in _ISSUERS.get(found[0], ()):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(found: str) -> bool:
    """The remainder that ISO 13616 asks for."""
    compact = found.replace(" ", "")
    rotated = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rotated)) % 97 == 1
