"""npgpt plot: several runs' losses in one picture."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.output import check_file, print_json
from npgpt.cli.tables import print_table
from npgpt.errors import InputError

FIGURES = ("train_loss", "validation_loss", "lowest_validation_loss")


def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    out: Annotated[
        Path, options.option("--out", "PNG file to write.", "FILE", "losses.png")
    ] = Path("losses.png"),
    as_json: options.AsJson = False,
) -> None:
    """Draw the losses of several runs in one picture.

    \b
    npgpt plot runs/one runs/two --out losses.png
    """
    from npgpt.runs.curves import draw_runs, last_figures
    from npgpt.runs.log import read_log

    check_file(out, ".png")
    rows = []
    for run in runs:
        if not (run / "log.jsonl").is_file():
            raise InputError(f"{run} is no run: there is no log.jsonl in it")
        lines = read_log(run)
        if not lines:
            raise InputError(f"{run} has no step in its log.jsonl yet")
        rows.append({"run": str(run), **last_figures(lines)})
    draw_runs(runs, out)
    if as_json:
        print_json({"runs": rows, "picture": str(out)})
        return
    print_table(
        ("run", "step", "last batch", "validation loss", "lowest validation loss"),
        [(row["run"], str(row["step"]), *(figure(row[name]) for name in FIGURES))
         for row in rows])
    print(f"picture: {out}")


def figure(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.4f}"
