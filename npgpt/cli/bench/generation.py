"""npgpt bench generation: the time of a token."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson


def generation(
    size: Annotated[str, typer.Option(
        help="tiny, gpt2 (124 M parameters) or both.", metavar="NAME")] = "both",
    model: Annotated[str | None, typer.Option(
        help="Instead: a real model, by its directory or name.", metavar="MODEL")] = None,
    tokens: Annotated[
        int, typer.Option(help="Tokens to generate.", min=1, max=500, metavar="N")] = 256,
    rounds: Rounds = 5,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Time the continuation of one prompt beside `transformers`.

    The contenders take turns: random weights, one prompt, a KV cache, the
    likeliest token each time. What a token reads (weights, keys, values) is
    compared with the memory bandwidth. Of a real model also the first token of
    a long prompt is timed, and the command until it answers.

    \b
    npgpt bench generation --size tiny --rounds 9
    npgpt bench generation --model smollm2 --tokens 128
    """
    check_files(record, plot)
    from npgpt.benchmarks import generation as bench
    from npgpt.benchmarks.picture import save_bars

    found, times = (bench.measure(size, tokens, rounds) if model is None
                    else bench.real_model.measure(model, tokens, rounds))
    finish(found, bench.report, record, plot, lambda file: save_bars(file, times), as_json)
