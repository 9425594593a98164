"""Conversations to learn answers from: `stories:chat`, or a file of JSON lines.

A line is an object with `messages`, a list of {"role": …, "content": …} as OpenAI's chat
format has it: a system message where wanted, then questions and answers in turn, an answer
last. What is not such a line is left out, counted by its reason, and told.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import parse_json, write_atomically
from npgpt.text.corpora.files import read_text
from npgpt.text.corpora.stories.questions import conversations, story_tests, tests
from npgpt.text.prepare.split import split_key

COUNT = 10_000  # conversations of "stories:chat" for training
VALIDATION, TEST, STORIES = 200, 500, 40
ROLES = ("system", "user", "assistant")
BROKEN = "that is no JSON"
SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can write one alone; no file can hold it
Conversation = list[dict[str, str]]


@dataclass
class Chats:
    """Conversations for training, for validation and for testing, and how many lines were
    left out, by reason.

    A test is a conversation whose last message is the right answer; `kinds` says, for each,
    what kind of question it is. A file's test part is its validation part. `stories`: with
    each conversation that asks for one, the text that it goes on from.
    """

    name: str
    train: list[Conversation] = field(repr=False)
    validation: list[Conversation] = field(repr=False)
    test: list[Conversation] = field(repr=False)
    kinds: list[str] = field(repr=False)
    sha256: str
    licence: str
    source: str
    dropped: dict[str, int] = field(default_factory=dict)
    stories: list[tuple[str, Conversation]] = field(default_factory=list, repr=False)


def load_chats(name: str | Path, seed: int = 0) -> Chats:
    """Conversations by name, or from a file: "stories:chat", "stories:chat:500" (so many for
    training), "chats.jsonl", of which a tenth is held out by the conversations' hashes.
    InputError for what is neither, and where no line can be learned from."""
    name = str(name)
    if name == "stories:chat" or name.startswith("stories:chat:"):
        count = chat_count(name)
        train, validation = ([*conversations(part, size, seed)] for part, size in
                             (("train", count), ("validation", VALIDATION)))
        kinds, test = map(list, zip(*tests(TEST, seed)))
        return Chats(name, train, validation, test, kinds,
                     digest(train + validation + test), "CC0-1.0",
                     f"npgpt.text.corpora.stories, seed {seed}",
                     stories=[*story_tests(STORIES, seed)])
    path = Path(name)
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise InputError(f"no conversations are called {name!r}: give stories:chat,"
                         " stories:chat:500, or a .jsonl file with a conversation a line")
    found, dropped = read_chats(path)
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        raise InputError(f"{path} has no conversation to learn from: {reasons}")
    train, validation = split(found)
    return Chats(name, train, validation, validation, ["answer"] * len(validation),
                 digest(found), "unknown (your files)", name, dropped)


def split(found: list) -> tuple[list, list]:
    """-> what is for training, and the tenth that is held out, by the hash of each."""
    keys = [split_key(json.dumps(each)) % 10 for each in found]
    validation = [each for each, key in zip(found, keys) if key == 0] or found[-1:]
    return [each for each in found if each not in validation] or found, validation


def chat_count(name: str) -> int:
    """How many conversations "stories:chat:500" asks for."""
    found = re.fullmatch(r"stories:chat(?::([1-9]\d{0,6}))?", name)
    if not found:
        raise InputError(f"{name!r} is not a number of conversations; say for example"
                         " stories:chat:500")
    return int(found[1] or COUNT)


def read_chats(path: Path) -> tuple[list[Conversation], dict[str, int]]:
    """-> the conversations of a file, and how many lines were left out, by reason."""
    found: list[Conversation] = []
    dropped: Counter[str] = Counter()
    for line in read_text(path).split("\n"):
        if not line.strip():
            continue
        try:
            chat = parse_json(line)
        except (ValueError, RecursionError):
            dropped[BROKEN] += 1
            continue
        reason = wrong(chat)
        if reason:
            dropped[reason] += 1
        else:
            found.append([{"role": each["role"], "content": each["content"]}
                          for each in chat["messages"]])
    return found, dict(dropped)


def wrong(chat: Any) -> str:
    """Why a line cannot be learned from, or an empty string."""
    messages = chat.get("messages") if isinstance(chat, dict) else None
    if messages is None and isinstance(chat, dict) and {"chosen", "rejected"} <= set(chat):
        return "with a pair of answers, which --method dpo takes"
    if not isinstance(messages, list) or not messages:
        return "without a list of messages"
    if not all(isinstance(each, dict) and isinstance(each.get("content"), str)
               and not SURROGATE.search(each["content"]) for each in messages):
        return "with a message that is no text"
    roles = [each.get("role") for each in messages]
    if any(role not in ROLES for role in roles):
        return "with a role other than system, user and assistant"
    if "assistant" not in roles:
        return "without an answer"
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != ["user", "assistant"] * (len(turns) // 2):
        return "with roles out of order"
    if not all(each["content"].strip() for each in messages):
        return "with an empty message"
    return ""


def write_chats(path: Path, chats: Iterable[Conversation]) -> None:
    """A file that `load_chats` reads: a line of JSON a conversation."""
    write_atomically(path, lines(chats))


def lines(chats: Iterable[Conversation]) -> str:
    return "".join(json.dumps({"messages": chat}, ensure_ascii=False) + "\n" for chat in chats)


def digest(chats: Iterable[Conversation]) -> str:
    return hashlib.sha256(lines(chats).encode()).hexdigest()
