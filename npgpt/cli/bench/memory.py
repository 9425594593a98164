"""npgpt bench memory: a training step's memory."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, check_files, finish
from npgpt.cli.options import AsJson


def memory(
    context_lengths: Annotated[
        str, typer.Option(help="Context lengths to measure.", metavar="LIST")
    ] = "64,128,256,512",
    steps: Annotated[int, typer.Option(help="Steps of each process.", min=1, metavar="N")] = 8,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Measure the peak memory of a training step against the context length.

    Each figure is the peak of a process of its own (6 layers, 6 heads, 384
    channels, batch 8), Python and its libraries included.

    \b
    npgpt bench memory --context-lengths 64,256
    """
    check_files(record, plot)
    from npgpt.benchmarks import memory as bench

    found = bench.measure(context_lengths.split(","), steps)
    finish(found, bench.report, record, plot, lambda file: bench.draw(found, file), as_json)
