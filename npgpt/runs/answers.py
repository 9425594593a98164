"""What a model answers to test questions, and how often that is right."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from npgpt.generation import SamplingSettings
from npgpt.runs.checkpoint.end_tokens import end_ids
from npgpt.text.chat import Chat
from npgpt.text.chat_template import checked
from npgpt.text.corpora.chats import Conversation

AT_ONCE = 16  # questions that are answered together
LONGEST = 24  # tokens of an answer; the right ones have fewer


def ask(
    engine, chat: Chat, tests: list[Conversation], path: Path, config: Any, family: Any,
    tokens: int = LONGEST, report: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """The likeliest answer to each conversation but for its last message, in their order;
    what is longer than `tokens` is cut. path: whose end tokens end an answer. report(done):
    answers."""
    settings = SamplingSettings(tokens, 0.0, end_ids=end_ids(path, config, family))
    prompts = [prompt_of(chat, test) for test in tests]
    found = [""] * len(tests)
    order = sorted(range(len(tests)), key=lambda i: len(prompts[i]))
    for first in range(0, len(order), AT_ONCE):
        report(first)
        some = order[first:first + AT_ONCE]
        completions, pairs = engine.complete([prompts[i] for i in some], settings)
        for _ in pairs:
            pass
        for i, completion in zip(some, completions):
            found[i] = completion.text.strip()
    report(len(tests))
    return found


def prompt_of(chat: Chat, test: Conversation) -> list[int]:
    """The ids of a conversation up to where its last message, the answer, begins."""
    written = chat.write(checked(test[:-1], chat.template), add_generation_prompt=True)
    return [id for ids, _ in chat.pieces(written) for id in ids]


def right(answer: str, test: Conversation) -> bool:
    """Exact match: spaces at the ends, capitals and a full stop at the end aside."""
    return plainly(answer) == plainly(test[-1]["content"])


def plainly(answer: str) -> str:
    return answer.strip().rstrip(".").casefold()


def by_kind(kinds: list[str], marks: Sequence[float]) -> Iterator[tuple[str, float]]:
    """(kind, mean of its marks: of True and False the fraction that is right), in the order of
    the kinds' first questions."""
    for kind in dict.fromkeys(kinds):
        theirs = [mark for each, mark in zip(kinds, marks) if each == kind]
        yield kind, sum(theirs) / len(theirs)
