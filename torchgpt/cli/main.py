"""The `torchgpt` command: the same subcommands and flags as `npgpt`, in PyTorch."""

import typer

from npgpt.cli.run import run
from torchgpt.cli import sample, train

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 80},
    help="The PyTorch half of npgpt. Runs are shared: train here, go on there.",
)
app.command("train")(train.train)
app.command("sample")(sample.sample)


def main(argv: list[str] | None = None) -> int:
    return run(app, "torchgpt", argv)
