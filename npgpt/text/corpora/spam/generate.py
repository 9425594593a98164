"""Messages drawn from the grammar, no two of them equal."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from npgpt.random_stream import uniform_stream

HAM, SPAM = 0, 1
MESSAGES = 800

_GRAMMAR = json.loads(Path(__file__).with_name("grammar.json").read_text(encoding="utf-8"))


class Message(NamedTuple):
    text: str
    label: int  # HAM or SPAM


def spam_messages(count: int = MESSAGES, seed: int = 1) -> list[Message]:
    """`count` different messages, each spam with probability one in two.

    Two labels for one text would be a mistake of the set, so a text that is there already
    is drawn anew.
    """
    draws = uniform_stream(seed, 0, "spam")
    messages: dict[str, Message] = {}
    while len(messages) < count:
        label = SPAM if next(draws) < 0.5 else HAM
        text = _text(label, draws)
        messages.setdefault(text, Message(text, label))
    return list(messages.values())


def _text(label: int, draws: Iterator[float]) -> str:
    kinds = list(_GRAMMAR["kinds"].values())
    kind = kinds[_drawn([kind["spam" if label else "ham"] for kind in kinds], next(draws))]
    sentences = [part[_drawn([choice[1 + label] for choice in part], next(draws))][0]
                 for part in kind["parts"]]
    text = " ".join(sentence for sentence in sentences if sentence)

    def filled(slot: re.Match[str]) -> str:
        words = _GRAMMAR["words"][slot[1]]
        return words[int(next(draws) * len(words))]

    text = re.sub(r"\{(\w+)\}", filled, text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda found: found[1] + found[2].upper(), text)


def _drawn(weights: list[int], u: float) -> int:
    """The place where the sum of the weights passes u of the whole."""
    left = u * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    raise AssertionError("u is below 1, so some choice is reached")
