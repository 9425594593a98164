"""A fine-tuning's data: conversations as ids, by a model's chat template."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.finetuning.rows import example
from npgpt.layers.cross_entropy import IGNORE
from npgpt.runs.checkpoint.tokenizer_files import find_chat_template
from npgpt.runs.settings import Settings
from npgpt.text.chat import Chat
from npgpt.text.corpora.chats import Chats, Conversation, load_chats

# for a model that brings none: it needs no token that its tokenizer does not have
DEFAULT_TEMPLATE = """\
{%- for message in messages %}
{%- if message.role == 'user' %}{{ 'Q: ' + message.content + '\\n' }}
{%- elif message.role == 'assistant' %}{{ 'A: ' + message.content + eos_token + '\\n' }}
{%- else %}{{ message.content + '\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ 'A:' }}{% endif %}
"""
LONGER = "longer than the context of"
Example = tuple[np.ndarray, np.ndarray]  # inputs and targets of one conversation


@dataclass
class ChatData:
    """The conversations to learn from and to be judged by; what they came from."""

    tokenizer: Any
    chat: Chat
    template_of: str  # whose template it is, in words
    chats: Chats
    train: list[Example]
    validation: list[Example]
    record: dict[str, Any]


def chat_of(directory: Path, tokenizer: Any) -> tuple[Chat, str]:
    """-> the model's own chat template with its tokenizer, or the default one where it has
    none; whose it is, in words. InputError where no token can end an answer."""
    template, about = find_chat_template(directory)
    whose = "the model's own"
    if template is None:
        template, whose = DEFAULT_TEMPLATE, "the default one, for the model has none"
        if not isinstance(about.get("eos_token"), str):
            raise InputError(
                f"{directory} has no chat template, and its tokenizer no token that could end"
                " an answer: start from a model that was trained for it, as with npgpt train"
                " --corpus stories --tokenizer bpe:1024 --end-of-text --context-length 512")
    return Chat(tokenizer, template, about, None, {}), whose


def open_chats(
    settings: Settings, tokenizer: Any, chat: Chat, template_of: str, limit: int | None
) -> ChatData:
    """The conversations that `settings.corpus` names, as ids. Those longer than `limit`, and
    those that the template refuses, are left out and counted. InputError where no answer is
    left to learn from."""
    chats = load_chats(settings.corpus)
    dropped = Counter(chats.dropped)
    chats.train, train = encoded(chats.train, chat, limit, dropped)
    _, validation = encoded(chats.validation, chat, limit, Counter())
    if not train:
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        raise InputError(f"{settings.corpus} has no answers to learn from"
                         + (f": left out are {reasons}" if reasons else "") + longer(dropped))
    validation = validation or train[-1:]
    record = {
        "name": chats.name,
        "source": chats.source,
        "licence": chats.licence,
        "sha256": chats.sha256,
        "ids_sha256": digest_of_ids(train + validation),
        "conversations": len(train),
        "validation_conversations": len(validation),
        "tokens": sum(len(inputs) + 1 for inputs, _ in train),
        "answer_tokens": answer_tokens(train),
        "dropped": dict(dropped),
    }
    return ChatData(tokenizer, chat, template_of, chats, train, validation, record)


def longer(dropped: Counter) -> str:
    """What to do where conversations are too long."""
    return ("; start from a model that was trained with a larger --context-length"
            if any(reason.startswith(LONGER) for reason in dropped) else "")


def encoded(
    chats: list[Conversation], chat: Chat, limit: int | None, dropped: Counter
) -> tuple[list[Conversation], list[Example]]:
    """Those conversations that fit, and their examples; the others are counted."""
    fitting, found = [], []
    for messages in chats:
        try:
            ids, learnt = chat.learnt(messages)
        except InputError as error:
            dropped[f"refused: {error}"] += 1
            continue
        if limit is not None and len(ids) - 1 > limit:
            dropped[f"{LONGER} {limit} tokens"] += 1
        elif not any(learnt[1:]):
            dropped["without an answer's token"] += 1
        else:
            fitting.append(messages)
            found.append(example(ids, learnt))
    return fitting, found


def digest_of_ids(examples: list[Example]) -> str:
    digest = hashlib.sha256()
    for inputs, targets in examples:
        digest.update(inputs.tobytes() + targets.tobytes())
    return digest.hexdigest()


def answer_tokens(examples: list[Example]) -> int:
    """How many targets are learned from: those of the answers, and one end token each."""
    return sum(int((targets != IGNORE).sum()) for _, targets in examples)


def told(record: dict[str, Any], template_of: str) -> list[str]:
    """Lines that say what is learned from, and what was left out."""
    lines = [f"{record['conversations']:,} conversations, {record['tokens']:,} tokens, of which"
             f" {record['answer_tokens']:,} are learned; chat template: {template_of}"]
    return lines + [f"  {count:,} left out: {reason}"
                    for reason, count in record["dropped"].items()]
