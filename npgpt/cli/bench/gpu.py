"""npgpt bench gpu: a training step on a GPU."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import Rounds, finish
from npgpt.cli.options import AsJson


def gpu(
    batch_size: Annotated[
        int, typer.Option(help="Windows per step.", min=1, metavar="N")] = 16,
    steps: Annotated[int, typer.Option(help="Steps per round.", min=1, metavar="N")] = 20,
    rounds: Rounds = 5,
    smoke: Annotated[bool, typer.Option(
        "--smoke", help="Try the code with a tiny model, without a GPU.")] = False,
    as_json: AsJson = False,
) -> None:
    """Time training steps of torchgpt.GPT (124 M parameters) on this GPU.

    Eager float32, eager bfloat16 and compiled bfloat16 take turns. MFU (model
    FLOPs utilisation) is the model's own products as a share of the device's peak.

    \b
    npgpt bench gpu --json > gpu.json
    """
    from npgpt.benchmarks import gpu as bench

    finish(bench.measure(batch_size, steps, rounds, smoke), bench.report, as_json=as_json)
