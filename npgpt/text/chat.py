"""Conversations as ids: a chat template's text, encoded, and which ids are the answers.

The special tokens are those that the template writes. What a message says stays text, the
name of a special token, too: a user who types <|im_end|> ends nothing. `transformers` takes
such a name for the token wherever it stands, unless it is called with
`sanitize_control_tokens`; then it encodes what stands before and behind the name apart.
Tokens that were added and are not special, such as Qwen's <think>, are found in any text, in
messages, too. No token is put before the text: where a family begins with one, its template
writes it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.text.chat_template import Message, checked, fill, plain, render, roles_of
from npgpt.text.tokenizers.loading import Tokenizer

__all__ = ["answer_mask", "encode_chat", "render"]

Span = tuple[int, int]  # (begin, end), in characters


def encode_chat(
    tokenizer: Tokenizer, template: str, messages: Iterable[Message],
    special_tokens: Mapping[str, Any] | None = None, add_generation_prompt: bool = False,
    tools: Iterable[Mapping[str, Any]] | None = None, **more: Any,
) -> list[int]:
    """The ids of the conversation. The arguments are those of `render`."""
    chat = Chat(tokenizer, template, special_tokens, tools, more)
    written = chat.write(checked(messages, template), add_generation_prompt)
    return [id for ids, _ in chat.pieces(written) for id in ids]


def answer_mask(
    tokenizer: Tokenizer, template: str, messages: Iterable[Message],
    special_tokens: Mapping[str, Any] | None = None,
    tools: Iterable[Mapping[str, Any]] | None = None, **more: Any,
) -> tuple[list[int], list[bool]]:
    """The ids of the conversation, and for each whether it is to be learnt.

    Learnt is what the model writes when it is asked: all that follows the prompt for an
    answer, and the one token that ends it. Where the template says what is generated, it is
    that, and the token that ends it. mask[t] is that of ids[t] as the token to predict, so
    its loss stands where ids[t - 1] is the input. A token that begins in the prompt and ends
    in the answer is learnt.
    """
    return Chat(tokenizer, template, special_tokens, tools, more).learnt(messages)


@dataclass
class Written:
    """A conversation's text, where the template's own special tokens stand in it, and what
    it says is generated."""

    text: str
    own: list[Span]
    generated: list[Span]


class Chat:
    """One tokenizer and one template, with what the template may read."""

    def __init__(
        self, tokenizer: Tokenizer, template: str, special_tokens: Mapping[str, Any] | None,
        tools: Iterable[Mapping[str, Any]] | None, more: dict[str, Any],
    ) -> None:
        self.tokenizer, self.template = tokenizer, template
        self.known = {**roles_of(special_tokens or {}),
                      **plain(more, "a setting of the template")}
        self.tools = None if tools is None else plain([*tools], "a tool")
        added = getattr(tokenizer, "added", ())
        self.names = sorted((name for name in tokenizer.special_ids if name not in added),
                            key=len, reverse=True)
        self.sizes: dict[int, int] = {}  # id -> its bytes
        self.pattern = re.compile("|".join(map(re.escape, self.names)) or "(?!)")

    def learnt(self, messages: Iterable[Message]) -> tuple[list[int], list[bool]]:
        """What `answer_mask` says of a conversation."""
        conversation = checked(messages, self.template)
        written = self.write(conversation, around=True)
        answers = written.generated or self.answers(conversation, written)
        ids: list[int] = []
        mask: list[bool] = []
        for piece, (begin, end) in self.pieces(written):
            ids += piece
            inside = [(max(a, begin) - begin, min(b, end) - begin) for a, b in answers]
            mask += self.overlap(
                piece, written.text[begin:end], [p for p in inside if p[0] < p[1]])
        return ids, mask

    def write(
        self, messages: list[dict[str, Any]], add_generation_prompt: bool = False,
        around: bool = False,
    ) -> Written:
        """Names of special tokens in the messages are put between marks, which tell them
        from the template's own; `around`: marks what it says is generated."""
        said = json.dumps([messages, self.tools, self.known], ensure_ascii=False)
        open, close, begin, end = free_characters(said + self.template)
        marked, tools = (self.marked(value, open + r"\g<0>" + close)
                         for value in (messages, self.tools))
        text = fill(self.template, marked, self.known, add_generation_prompt, tools,
                    (begin, end) if around else ("", ""))
        written = self.read(text, open, close, begin, end)
        if written is not None and (marked, tools) == (messages, self.tools):
            return written
        plainly = fill(self.template, messages, self.known, add_generation_prompt, self.tools)
        if written is None or written.text != plainly:
            raise InputError(
                "a message holds the name of a special token, and the template changes the text"
                " around it, so that it cannot be told from the template's own: leave it out")
        return written

    def found(self, text: str) -> int:
        """How many names of special tokens a text holds."""
        return len(self.pattern.findall(text))

    def marked(self, value: Any, form: str) -> Any:
        """The messages, each name of a special token in the given form."""
        if isinstance(value, str):
            return self.pattern.sub(form, value)
        if isinstance(value, list):
            parts = [item["text"] for item in value if isinstance(item, dict)
                     and isinstance(item.get("text"), str)]
            if self.found("".join(parts)) != sum(map(self.found, parts)):
                raise InputError("two parts of a message make the name of a special token"
                                 " together: give them as one")
            return [self.marked(item, form) for item in value]
        if isinstance(value, dict):
            for key in value:
                if self.pattern.search(key):
                    raise InputError(f"the key {quote(key)} holds the name of a special token")
            return {key: item if key == "role" else self.marked(item, form)
                    for key, item in value.items()}
        return value

    def read(self, marked: str, open: str, close: str, begin: str, end: str) -> Written | None:
        """What was written, without the marks; None where a mark has lost its fellow."""
        pattern = re.compile(
            f"({open}?)({self.pattern.pattern})({close}?)|([{open}{close}{begin}{end}])")
        parts: list[str] = []
        own: list[Span] = []
        generated: list[Span] = []
        length = at = start = 0
        for match in pattern.finditer(marked):
            parts.append(marked[at : match.start()])
            length += len(parts[-1])
            at = match.end()
            before, name, after, alone = match.groups()
            if name is None:
                if alone in open + close:
                    return None
                if alone == begin:
                    start = length
                else:
                    generated.append((start, length))
                continue
            if bool(before) != bool(after):
                return None
            parts.append(name)
            if not before:
                own.append((length, length + len(name)))
            length += len(name)
        text = "".join([*parts, marked[at:]])
        spans = [self.with_end(span, own) for span in generated]
        return Written(text, own, [(first, last) for first, last in spans if first < last])

    @staticmethod
    def with_end(span: Span, own: list[Span]) -> Span:
        """A span and, where it does not end with a special token, the one that follows at
        once."""
        first, last = span
        if any(begin >= first and end == last for begin, end in own):
            return span
        return first, next((end for begin, end in own if begin == last), last)

    def answers(self, messages: list[dict[str, Any]], written: Written) -> list[Span]:
        """Where the answers stand: from the prompt for each to the token that ends it."""
        asked = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
        if not asked:
            raise InputError("the conversation has no answer to learn from")
        spans: list[Span] = []
        name = ""
        for number, n in enumerate(asked, start=1):
            begin = self.begin(messages[:n], written.text, number)
            name = name or self.end_token(messages[:n], begin)
            end = self.end(written, name, begin)
            alone = self.end(self.write(messages[: n + 1]), name, begin)
            if end is None or alone is None or (spans and spans[-1][1] > begin):
                raise InputError(f"an answer does not end with {name}, as others do")
            spans.append((begin, end))
        return spans

    def begin(self, before: list[dict[str, Any]], text: str, number: int) -> int:
        """Where an answer begins: where the prompt for it ends."""
        if not before:
            raise InputError("the conversation begins with an answer: a question comes first")
        prompt = self.write(before, add_generation_prompt=True).text
        if not text.startswith(prompt):
            raise InputError(
                f"once the conversation goes on, the template writes what stands before answer"
                f" {number} otherwise than when the answer was asked for: give the conversation"
                " up to that answer")
        return len(prompt)

    def end_token(self, before: list[dict[str, Any]], begin: int) -> str:
        """The name of the first special token behind an answer that has none in it."""
        probe = self.write([*before, {"role": "assistant", "content": "answer"}])
        for first, last in probe.own:
            if first >= begin:
                return probe.text[first:last]
        raise InputError("the template puts no special token behind an answer, so that nothing"
                         " says where it ends")

    @staticmethod
    def end(written: Written, name: str, begin: int) -> int | None:
        """Where the first special token of that name ends."""
        return next((last for first, last in written.own
                     if first >= begin and written.text[first:last] == name), None)

    def pieces(self, written: Written) -> Iterable[tuple[list[int], Span]]:
        """Yields the ids of the template's special tokens and of the texts between, with the
        span of each."""
        at = 0
        for begin, end in [*written.own, (len(written.text), len(written.text))]:
            if begin > at:
                yield self.tokenizer.encode(written.text[at:begin]), (at, begin)
            if end > begin:
                yield [self.tokenizer.special_ids[written.text[begin:end]]], (begin, end)
            at = end

    def overlap(self, ids: list[int], text: str, spans: list[Span]) -> list[bool]:
        """For each id of the text whether it stands in one of the spans, if in part."""
        if not spans or spans == [(0, len(text))]:
            return [bool(spans)] * len(ids)

        plainly = self.tokenizer.decode_bytes(ids) == text.encode()

        def bytes_before(position: int) -> int:
            before = text[:position]
            return len(before.encode() if plainly
                       else self.tokenizer.decode_bytes(self.tokenizer.encode(before)))

        inside = [(bytes_before(begin), bytes_before(end)) for begin, end in spans]
        mask, at = [], 0
        for id in ids:
            if id not in self.sizes:
                self.sizes[id] = len(self.tokenizer.decode_bytes([id]))
            end = at + self.sizes[id]
            mask.append(any(begin < end and at < last for begin, last in inside))
            at = end
        return mask


def free_characters(text: str) -> list[str]:
    """Four characters of Unicode's private use that the text does not hold."""
    characters = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return [*islice(characters, 4)]
