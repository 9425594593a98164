"""What the commands of npgpt bench share: their options, and what becomes of a record."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.benchmarks.report import Report, Table
from npgpt.cli.output import check_file, print_json
from npgpt.cli.tables import print_table
from npgpt.files import write_atomically

Rounds = Annotated[int, typer.Option(help="Timings of each contender.", min=1, metavar="N")]
JsonFile = Annotated[
    Path | None,
    typer.Option("--record", help="Write the figures to this file.", metavar="FILE.json"),
]
Picture = Annotated[
    Path | None, typer.Option(help="Draw the figures to this file.", metavar="FILE.png")
]


def check_files(record: Path | None, plot: Path | None) -> None:
    check_file(record, ".json")
    check_file(plot, ".png")


def finish(
    found: dict[str, Any], report: Callable[[dict[str, Any]], Report], record: Path | None = None,
    plot: Path | None = None, draw: Callable[[Path], None] | None = None, as_json: bool = False
) -> None:
    """Write, draw and print what was measured, as the options ask."""
    if record is not None:
        write_atomically(record, json.dumps(found, indent=1) + "\n")
    if plot is not None and draw is not None:
        draw(plot)
    if as_json:
        print_json(found)
        return
    for part in report(found):
        if isinstance(part, Table):
            print_table(part.heads, part.rows, part.title)
        else:
            print(part)
