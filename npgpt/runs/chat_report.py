"""What `npgpt prepare-chat` writes: conversations as files, their figures, and a page that
shows ten of them as the model reads them."""

import html
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.runs.chat_data import ChatData, chat_of, open_chats
from npgpt.runs.checkpoint import find_directory, load_checkpoint
from npgpt.runs.run import count_parameters
from npgpt.runs.settings import Settings
from npgpt.text.chat import Chat
from npgpt.text.corpora.chats import Conversation, write_chats

EXAMPLES = 10  # conversations on the page
STYLE = """
:root { color-scheme: light dark; --ink: #22303c; --paper: #fff; --other: #5d6b76;
  --learned: #ffe2b8; --edge: #d9730d; --line: #d5dbe0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaee; --paper: #161b20;
  --other: #9aa7b1; --learned: #5a3a12; --edge: #e9a04b; --line: #39434b; } }
body { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1rem; margin-top: 2rem; }
table { border-collapse: collapse; } td { padding: .15rem 1.5rem .15rem 0; }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; color: var(--other);
  border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; line-height: 1.9; }
span { border-radius: .2rem; box-shadow: inset 0 0 0 1px var(--line); }
b { font-weight: 600; color: var(--ink); background: var(--learned); border-radius: .2rem;
  box-shadow: inset 0 -2px 0 var(--edge); }
"""


def prepare_chat(name: str, model: str, out: Path, longest: int = 0) -> dict[str, Any]:
    """Write DIR/train.jsonl, validation.jsonl, test.jsonl, report.json and examples.html ->
    the report. name: as `load_chats` takes it; model: whose tokenizer and template."""
    check_out(out)
    checkpoint = load_checkpoint(model)
    if checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer: put its tokenizer.json there")
    chat, template_of = chat_of(find_directory(model), checkpoint.tokenizer)
    context = checkpoint.config.context_length
    limit = min(longest or context, context) if context else longest or None
    data = open_chats(Settings(corpus=name), checkpoint.tokenizer, chat, template_of, limit)
    report = {**data.record, "template": template_of, "model": str(model), "limit": limit,
              "parameters": count_parameters(checkpoint.family, checkpoint.config),
              "lengths": lengths(data), "test_questions": len(data.chats.test)}
    out.mkdir(parents=True, exist_ok=True)
    for part in ("train", "validation", "test"):
        write_chats(out / f"{part}.jsonl", getattr(data.chats, part))
    write_atomically(out / "examples.html", page(report, chat, data.chats.train[:EXAMPLES]))
    write_atomically(out / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return report


def check_out(out: Path) -> None:
    """Raise InputError unless a new directory can be made there, or an empty one filled."""
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out} holds other files: choose another --out")
    there = next(each for each in (out, *out.absolute().parents) if each.exists())
    if not there.is_dir():
        raise InputError(f"--out is {out}, but {there} is a file; give a new directory")
    if not os.access(there, os.W_OK):
        raise InputError(f"--out is {out}, but {there} may not be written to; give another")


def lengths(data: ChatData) -> dict[str, int]:
    """Tokens of a conversation: shortest, middle and longest."""
    found = np.array([len(inputs) + 1 for inputs, _ in data.train])
    return {"shortest": int(found.min()), "median": int(np.median(found)),
            "longest": int(found.max())}


def page(report: dict[str, Any], chat: Chat, some: list[Conversation]) -> str:
    """The page: the figures, then conversations, what is learned set off."""
    figures = {
        "conversations": report["conversations"], "tokens": report["tokens"],
        "tokens that are learned": report["answer_tokens"],
        "tokens of the longest conversation": report["lengths"]["longest"],
        **{f"left out: {reason}": count for reason, count in report["dropped"].items()}}
    rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{count:,}</td></tr>"
                   for name, count in figures.items())
    parts = "".join(f"<h2>Conversation {number}</h2>\n<pre>{spans(chat, each)}</pre>\n"
                    for number, each in enumerate(some, start=1))
    return (f"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
            f"<meta name=\"viewport\" content=\"width=device-width\">\n"
            f"<title>{html.escape(report['name'])}</title>\n<style>{STYLE}</style>\n"
            f"<h1>{html.escape(report['name'])}, as {html.escape(report['model'])} reads it</h1>\n"
            f"<p>Each frame is a token. <b>Coloured tokens</b> are learned: the answers, each"
            f" with the token that ends it. The others are read, and no loss is taken of them."
            f" Chat template: {html.escape(report['template'])}.</p>\n"
            f"<table>{rows}</table>\n{parts}</html>\n")


def spans(chat: Chat, messages: Conversation) -> str:
    """A conversation's tokens, those that are learned in bold."""
    ids, learnt = chat.learnt(messages)
    names = {id: name for name, id in chat.tokenizer.special_ids.items()}
    found = []
    for id, text, mark in zip(ids, pieces(chat, ids), learnt):
        tag = "b" if mark else "span"
        written = html.escape(names.get(id, text)).replace("\n", "⏎\n")
        found.append(f"<{tag}>{written}</{tag}>")
    return "".join(found)


def pieces(chat: Chat, ids: list[int]) -> list[str]:
    """Each id's text; a character of several ids stands at the last of them."""
    decoder = chat.tokenizer.stream_decoder()
    return [decoder.push(id) for id in ids]
