"""What one would write in an afternoon: a point for each rule that a message meets, and two
points are spam."""

import re

RULES = {
    "offers something free": r"\bfree\b",
    "speaks of winning": r"\b(won|winner|prize|congratulations)\b",
    "is in a hurry": r"\b(urgent|act now|order now|today|limited)\b",
    "wants a click": r"\bclick\b",
    "asks for bank details": r"\bbank\b",
    "names a large sum": r"£\d{3,}|£\d+,\d{3}",
    "speaks to nobody": r"\bdear (customer|friend)\b",
    "shouts": r"!!",
}
ENOUGH = 2


def points(text: str) -> list[str]:
    """The rules that a message meets, by name."""
    return [name for name, rule in RULES.items() if re.search(rule, text, re.IGNORECASE)]


def spam_by_rules(text: str) -> bool:
    return len(points(text)) >= ENOUGH
