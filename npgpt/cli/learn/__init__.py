"""npgpt learn: one file a lesson."""

import typer

from npgpt.cli.learn import line, sequences, spam, words

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Lessons that run here at once: what was learned, in words and a picture.\n\n"
    "\b\nnpgpt learn line",
)
app.command("line")(line.line)
app.command("spam")(spam.spam)
app.command("words")(words.words)
app.command("sequences")(sequences.sequences)
