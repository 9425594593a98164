"""The `npgpt` command: one file a subcommand."""

import typer

from npgpt.cli import (
    adapter,
    bench,
    book,
    chat,
    doctor,
    duet,
    evaluate,
    exercise,
    fetch,
    finetune,
    gradcheck,
    inspect,
    learn,
    plot,
    prepare,
    prepare_chat,
    sample,
    tokenizer,
    trace,
    train,
)
from npgpt.cli.options import whole_command
from npgpt.cli.run import run

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 80},
    help="A GPT written twice by hand, in NumPy and PyTorch. Start with: npgpt duet",
)
app.callback()(whole_command)
app.command("duet")(duet.duet)
app.command("train")(train.train)
app.command("finetune")(finetune.finetune)
app.command("evaluate")(evaluate.evaluate)
app.command("sample")(sample.sample)
app.command("chat")(chat.chat)
app.command("fetch")(fetch.fetch)
app.command("prepare")(prepare.prepare)
app.command("prepare-chat")(prepare_chat.prepare_chat)
app.command("inspect")(inspect.inspect)
app.command("plot")(plot.plot)
app.command("gradcheck")(gradcheck.gradcheck)
app.command("trace")(trace.trace)
app.command("doctor")(doctor.doctor)
app.command("book")(book.book)
app.command("exercise")(exercise.exercise)
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(adapter.app, name="adapter")
app.add_typer(bench.app, name="bench")
app.add_typer(learn.app, name="learn")


def main(argv: list[str] | None = None) -> int:
    return run(app, "npgpt", argv)
