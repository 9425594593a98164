"""npgpt bench: speed and memory, side by side with what others use."""

from typing import Annotated

import typer

from npgpt.cli.bench_output import JsonFile, Picture, Rounds, check_files, finish
from npgpt.cli.options import AsJson

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Measure speed and memory side by side with the usual libraries.\n\n"
    "\b\nnpgpt bench step --size S",
)


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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
