"""The `torchgpt` command: the same subcommands and flags as `npgpt`, in PyTorch."""

import typer

from npgpt.cli.options import whole_command
from npgpt.cli.run import run
from torchgpt.cli import chat, finetune, learn, sample, train

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 80},
    help="The PyTorch half of npgpt. Runs are shared: train here, continue there.",
)
app.callback()(whole_command)
app.command(
    "train", short_help="Train a GPT on a text with PyTorch, or continue a run.")(train.train)
app.command(
    "finetune",
    short_help="Teach a trained model to answer with PyTorch, or continue a run.",
)(finetune.finetune)
app.command("sample")(sample.sample)
app.command("chat")(chat.chat)
app.add_typer(learn.app, name="learn")


def main(argv: list[str] | None = None) -> int:
    return run(app, "torchgpt", argv)
