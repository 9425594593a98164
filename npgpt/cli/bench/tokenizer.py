"""npgpt bench tokenizer: a tokenizer's time."""

from typing import Annotated

import typer

from npgpt.cli.bench.output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson


def tokenizer(
    corpus: Annotated[str | None, typer.Option(
        help="A corpus or file. [Python's documentation and sources]", metavar="NAME")] = None,
    size: Annotated[int, typer.Option(help="Bytes of it to use.", min=1, metavar="N")]
    = 1_100_000,
    vocab_size: Annotated[
        int, typer.Option(help="Vocabulary to train.", min=256, metavar="N")] = 4096,
    rounds: Rounds = 7,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Time training and encoding beside `tokenizers` and `tiktoken`.

    The contenders take turns. Both libraries are needed; their ids and merges
    are compared with ours as well.

    \b
    npgpt bench tokenizer --rounds 5
    """
    check_files(record, plot)
    from npgpt.benchmarks import tokenizer as bench

    found = bench.measure(corpus, size, vocab_size, rounds)
    finish(found, bench.report, record, plot, lambda file: bench.draw(found, file), as_json)
