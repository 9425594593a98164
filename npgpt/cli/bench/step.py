"""npgpt bench step: a training step's time."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson


def step(
    size: Annotated[str, typer.Option(help="S, M, or S,M.", metavar="LIST")] = "S,M",
    rounds: Rounds = 20,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Time a training step (forward, backward, clip, AdamW).

    NumPy, the same compiled, README's own loop, PyTorch by hand, torchgpt.GPT
    and transformers' GPT-2 take turns. S is 4 layers, 4 heads, 128 channels,
    context 64, batch 12; M is 6/6/384, context 256, batch 8. "products" are the
    matrix products of the compiled step alone, the machine's floor.

    \b
    npgpt bench step --size S --rounds 10
    """
    check_files(record, plot)
    from npgpt.benchmarks import step as bench
    from npgpt.benchmarks.picture import save_bars

    found, times = bench.measure(size.split(","), rounds)
    finish(found, bench.report, record, plot, lambda file: save_bars(file, times), as_json)
