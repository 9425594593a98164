"""Preferences to learn from: `stories:chat`, or a file of JSON lines.

A line is an object with `prompt`, a list of messages that ends with a question, and `chosen`
and `rejected`, each a list with one answer, as TRL's conversational format has it. What is not
such a line is left out, counted by its reason, and told.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import parse_json
from npgpt.text.corpora.chats import (
    BROKEN,
    Chats,
    Conversation,
    chat_count,
    digest,
    load_chats,
    split,
    wrong,
)
from npgpt.text.corpora.files import read_text
from npgpt.text.corpora.stories import pairs as stories

VALIDATION = 100
Pair = tuple[Conversation, Conversation]  # the conversation with the chosen answer, and with
#                                           the rejected one


@dataclass
class Pairs:
    """Pairs for training and for validation; `chats`, by whose test part a model is judged."""

    train: list[Pair] = field(repr=False)
    validation: list[Pair] = field(repr=False)
    chats: Chats
    sha256: str
    dropped: dict[str, int] = field(default_factory=dict)


def load_pairs(name: str | Path, seed: int = 0) -> Pairs:
    """Pairs by name, or from a file: "stories:chat", "stories:chat:500", "pairs.jsonl", of
    which a tenth is held out. InputError for what is neither, and where no line can be
    learned from."""
    name = str(name)
    if name == "stories:chat" or name.startswith("stories:chat:"):
        train, validation = (
            [pair([{"role": "user", "content": question}], chosen, rejected)
             for question, chosen, rejected in stories.pairs(part, count, seed)]
            for part, count in (("train", chat_count(name)), ("validation", VALIDATION)))
        return Pairs(train, validation, load_chats(name, seed), digest_of(train + validation))
    path = Path(name)
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise InputError(f"no preferences are called {name!r}: give stories:chat,"
                         " stories:chat:500, or a .jsonl file with a pair a line")
    found, dropped = read_pairs(path)
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        raise InputError(f"{path} has no pair to learn from: {reasons}")
    train, validation = split(found)
    chosen = [chosen for chosen, _ in validation]
    chats = Chats(name, [chosen for chosen, _ in train], chosen, chosen, ["answer"] * len(chosen),
                  digest_of(found), "unknown (your files)", name)
    return Pairs(train, validation, chats, chats.sha256, dropped)


def pair(prompt: Conversation, chosen: str, rejected: str) -> Pair:
    answers = [{"role": "assistant", "content": text} for text in (chosen, rejected)]
    return [*prompt, answers[0]], [*prompt, answers[1]]


def read_pairs(path: Path) -> tuple[list[Pair], dict[str, int]]:
    """-> the pairs of a file, and how many lines were left out, by reason."""
    found: list[Pair] = []
    dropped: Counter[str] = Counter()
    for line in read_text(path).split("\n"):
        if not line.strip():
            continue
        try:
            each = parse_json(line)
        except (ValueError, RecursionError):
            dropped[BROKEN] += 1
            continue
        chats = both(each)
        if not chats:
            dropped["without the lists of messages prompt, chosen and rejected"] += 1
            continue
        reason = next(filter(None, map(wrong, chats)), "")
        if reason:
            dropped[reason] += 1
        elif chats[0]["messages"] == chats[1]["messages"]:
            dropped["with the same answer twice"] += 1
        else:
            chosen, rejected = (
                [{"role": one["role"], "content": one["content"]} for one in chat["messages"]]
                for chat in chats)
            found.append((chosen, rejected))
    return found, dict(dropped)


def both(line: Any) -> list[Any]:
    """The two conversations of a line, not yet checked; none where it has other fields."""
    if not isinstance(line, dict) or not all(
            isinstance(line.get(name), list) for name in ("prompt", "chosen", "rejected")):
        return []
    return [{"messages": [*line["prompt"], *line[name]]} for name in ("chosen", "rejected")]


def digest_of(pairs: Iterable[Pair]) -> str:
    return digest(chat for each in pairs for chat in each)
