"""npgpt bench: measured side by side with what others use."""

import typer

from npgpt.cli import bench_tokenizer

app = typer.Typer(
    no_args_is_help=True,
    help="Measure speed side by side with the usual libraries.\n\n"
    "Example: npgpt bench tokenizer --rounds 5",
)
app.command("tokenizer")(bench_tokenizer.tokenizer)
