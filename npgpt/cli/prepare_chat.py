"""npgpt prepare-chat: conversations, checked, and as a model reads them."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.options import option
from npgpt.cli.output import print_json
from npgpt.files import shell_quote

LARGE = 50_000_000  # weights; from here on an adapter is what a laptop trains


def prepare_chat(
    data: Annotated[str, typer.Argument(
        metavar="DATA", help="stories:chat, or a .jsonl file of conversations.")],
    model: Annotated[str, typer.Option(
        help="Model whose tokenizer and template are used.", metavar="MODEL")],
    out: Annotated[Path, typer.Option(help="Directory to write.", metavar="DIR")],
    longest: Annotated[int | None, option(
        "--longest", "Maximum conversation length, in tokens.", "N", "the context")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Check conversations, count what is learned, and write a page of examples.

    \b
    npgpt prepare-chat chats.jsonl --model smollm2 --out prepared
    npgpt finetune smollm2 --data prepared/train.jsonl --method lora
    """
    from npgpt.runs.chat_data import told
    from npgpt.runs.chat_report import prepare_chat as prepare

    report = prepare(data, model, out, longest or 0)
    if as_json:
        print_json(report)
        return
    for line in told(report, report["template"]):
        print(line)
    lengths = report["lengths"]
    print(f"lengths in tokens: {lengths['shortest']} to {lengths['longest']}, half of them up to"
          f" {lengths['median']}")
    method = " --method lora" if report["parameters"] >= LARGE else ""
    print(f"see {out / 'examples.html'}; next: npgpt finetune {shell_quote(model)} --data"
          f" {shell_quote(data)}{method}")
