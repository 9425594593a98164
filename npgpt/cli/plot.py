"""npgpt plot: several runs' losses in one picture."""

from pathlib import Path
from typing import Annotated

import typer

from npgpt.cli import options
from npgpt.cli.output import check_file, print_json
from npgpt.errors import InputError


def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs' directories.")],
    out: Annotated[Path, typer.Option(help="The picture.", metavar="FILE")] = Path("losses.png"),
    as_json: options.AsJson = False,
) -> None:
    """Compare runs: draw their losses in one PNG, print their last figures.

    \b
    npgpt plot runs/one runs/two --out losses.png
    """
    from npgpt.runs.curves import draw_runs
    from npgpt.runs.log import read_log

    check_file(out, ".png")
    logs = {}
    for run in runs:
        if not (run / "log.jsonl").is_file():
            raise InputError(f"{run} is no run: there is no log.jsonl in it")
        logs[run] = read_log(run)
        if not logs[run]:
            raise InputError(f"{run} has no step in its log.jsonl yet")
    draw_runs(runs, out)
    rows = [{"run": str(run), **last_figures(lines)} for run, lines in logs.items()]
    if as_json:
        print_json({"runs": rows, "picture": str(out)})
        return
    width = max(len(row["run"]) for row in rows)
    for row in rows:
        figures = [f"{name.replace('_', ' ')} {row[name]:.4f}"
                   for name in ("train_loss", "validation_loss", "lowest_validation_loss")
                   if row[name] is not None]
        print(f"{row['run']:{width}}  step {row['step']}  {', '.join(figures)}")
    print(f"picture: {out}")


def last_figures(lines: list[dict]) -> dict:
    """The last step, training and validation loss, and the lowest validation loss."""
    from npgpt.runs.curves import column


    _, train = column(lines, "train_loss", "numpy_loss")
    _, validation = column(lines, "validation_loss")
    return {
        "step": lines[-1]["step"],
        "train_loss": train[-1] if train else None,
        "validation_loss": validation[-1] if validation else None,
        "lowest_validation_loss": min(validation, default=None),
    }
