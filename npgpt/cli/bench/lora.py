"""npgpt bench lora: a fine-tuning step beside `peft`."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson
from npgpt.cli.run import let_threads_sleep


def lora(
    model: Annotated[str, typer.Option(
        help="Model, by its directory or name.", metavar="MODEL")] = "smollm2",
    batch_size: Annotated[
        int, typer.Option(help="Sequences per step.", min=1, metavar="N")] = 4,
    tokens: Annotated[int, typer.Option(help="Tokens of each.", min=1, metavar="N")] = 256,
    rounds: Rounds = 10,
    steps: Annotated[
        int, typer.Option(help="Steps whose losses are compared.", min=1, metavar="N")] = 20,
    memory: Annotated[bool, typer.Option(
        "--memory/--no-memory", help="Measure peak memory, too.")] = True,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Time a training step of LoRA beside `transformers` with `peft`.

    The contenders take turns: the same weights, adapters (rank 8, on q and v),
    conversations, clipping and AdamW. Peak memory is that of a process of its own.

    \b
    npgpt bench lora --rounds 5
    """
    check_files(record, plot)
    let_threads_sleep()
    from npgpt.benchmarks import lora as bench
    from npgpt.benchmarks.picture import save_bars

    found, times = bench.measure(model, batch_size, tokens, rounds, steps, memory)
    finish(found, bench.report, record, plot, lambda file: save_bars(file, times), as_json)
