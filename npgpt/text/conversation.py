"""A conversation that goes on within a model's context: what is oldest is forgotten."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from npgpt.errors import InputError
from npgpt.text.chat import encode_chat
from npgpt.text.chat_template import Message, checked
from npgpt.text.tokenizers.loading import Tokenizer

ALWAYS = ("system", "developer")  # messages of these roles are never forgotten


def turns_of(messages: Iterable[Message]) -> list[list[Message]]:
    """The messages in turns: a question with all that follows it, answers, calls of tools and
    their results, up to the next question. The first turn is what stands before any
    question, and may be empty."""
    turns: list[list[Message]] = [[]]
    for message in messages:
        if message["role"] == "user":
            turns.append([])
        turns[-1].append(message)
    return turns


def fitting(
    messages: Iterable[Message], length: Callable[[list[Message]], int], limit: int
) -> tuple[list[Message], int]:
    """-> the messages without the oldest turns, and how many turns are left out: as few as
    bring `length` to the limit. The system's messages stay, and so does the last turn;
    InputError where these alone are too long."""
    turns = turns_of(messages)
    for count in range(max(len(turns) - 1, 1)):
        old = [message for turn in turns[: 1 + count] for message in turn
               if turn is turns[0] or message["role"] in ALWAYS]
        remaining = old + [message for turn in turns[1 + count :] for message in turn]
        needed = length(remaining)
        if needed <= limit:
            return remaining, count
    raise InputError(
        f"the question needs {needed} tokens, with what stands before every question, and there"
        f" is room for {limit}: ask a shorter one")


class Conversation:
    """Questions and answers in turn, by a chat template.

    context_length: how many tokens the model reads at once; `room` of them are left for
    the answer. What does not fit is forgotten, the oldest turn first: `forgotten` counts
    these turns.
    """

    def __init__(
        self, tokenizer: Tokenizer, template: str, context_length: int, room: int,
        system: str | None = None, special_tokens: Mapping[str, Any] | None = None,
        tools: Iterable[Mapping[str, Any]] | None = None, **more: Any,
    ) -> None:
        if not 0 < room < context_length:
            raise InputError(
                f"{room} tokens for the answer do not fit a context of {context_length}: leave at"
                " least one, and one for the question")
        self.tokenizer, self.template, self.limit = tokenizer, template, context_length - room
        self.special_tokens, self.more = special_tokens, more
        self.tools = None if tools is None else [*tools]
        self.start: list[Message] = (
            [] if system is None else [{"role": "system", "content": system}])
        self.clear()

    def clear(self) -> None:
        """Back to the beginning; the system's message stays."""
        self.messages, self.forgotten = [*self.start], 0

    def ask(self, question: str) -> list[int]:
        """The ids of the prompt for the answer. A question that does not fit is not taken."""
        return self.add({"role": "user", "content": question})

    def add(self, *messages: Message) -> list[int]:
        """As `ask`, with messages of any kind, such as the results of tools."""
        remaining, count = fitting(
            [*self.messages, *checked(messages, self.template)],
            lambda messages: len(self.prompt(messages)), self.limit)
        self.messages, self.forgotten = remaining, self.forgotten + count
        return self.prompt(remaining)

    def answered(self, answer: str | Message) -> None:
        """Take note of what the model answered, be it cut short."""
        if isinstance(answer, str):
            answer = {"role": "assistant", "content": answer}
        self.messages += checked([answer], self.template)

    def prompt(self, messages: list[Message]) -> list[int]:
        return encode_chat(self.tokenizer, self.template, messages, self.special_tokens,
                           True, self.tools, **self.more)
