"""npgpt bench attention: attention's time and memory."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson


def attention(
    lengths: Annotated[
        str, typer.Option(help="Lengths of the text, in tokens.", metavar="LIST")
    ] = "256,1024,4096",
    rounds: Rounds = 9,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Time attention, blockwise and flash attention against the length.

    Each runs forward and backward on NumPy arrays; they take turns. The memory
    is the most that their arrays take at one time.

    \b
    npgpt bench attention --lengths 512,2048
    """
    check_files(record, plot)
    from npgpt.benchmarks import attention as bench

    found = bench.measure(lengths.split(","), rounds)
    finish(found, bench.report, record, plot, lambda file: bench.draw(found, file), as_json)
