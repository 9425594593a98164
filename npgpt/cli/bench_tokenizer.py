"""npgpt bench tokenizer: our byte pairs beside `tokenizers` and `tiktoken`."""

import json
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from npgpt.cli import common, timing
from npgpt.cli.bench_step import JsonFile, Picture
from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.byte_pairs import PATTERN, count_words

# what is compared, ours first; the limit is ours / theirs in time
COMPARED = (
    ("train", "npgpt train", "tokenizers train", 3),
    ("encode, as `tokenizers`", "npgpt cold", "tokenizers encode", 1),
    ("encode cold", "npgpt cold", "tiktoken encode", 6),
    ("encode warm", "npgpt warm", "tiktoken encode", 4),
)


def tokenizer(
    corpus: Annotated[
        str | None, typer.Option(help="A corpus or file; else Python's documentation and sources.")
    ] = None,
    size: Annotated[int, typer.Option(help="How many bytes of it.", min=1)] = 1_100_000,
    vocab_size: Annotated[int, typer.Option(help="Entries to train.", min=256)] = 4096,
    rounds: Annotated[int, typer.Option(help="Each thing is timed so often.", min=1)] = 7,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: common.AsJson = False,
) -> None:
    """Time training and encoding, interleaved, beside `tokenizers` and `tiktoken`.

    Needs both libraries. Their ids and merges are compared with ours as well.

    \b
    npgpt bench tokenizer --rounds 5
    """
    common.check_file(record, ".json")
    common.check_file(plot, ".png")
    try:
        import tiktoken  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed: pip install tokenizers tiktoken"
        ) from None
    text = _text(corpus, size)
    result = measure(text, vocab_size, rounds)
    result["machine"] = timing.machine()
    if record is not None:
        write_atomically(record, json.dumps(result, indent=1) + "\n")
    if plot is not None:
        timing.save_picture(plot, {f"{result['bytes'] / 1e6:.1f} MB of text": {
            name: [time / 1e3 for time in times]
            for name, times in result["milliseconds"].items()}})
    if as_json:
        common.print_json(result)
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    print(f"{result['bytes']:,} bytes, {result['words']:,} distinct words, "
          f"vocabulary {vocab_size:,}, {rounds} rounds")
    table = Table(box=SIMPLE_HEAD)
    for head in ("", "median", "lowest", "highest", "MB/s"):
        table.add_column(head, justify="right" if head else "left")
    for name, times in result["milliseconds"].items():
        middle = statistics.median(times)
        table.add_row(name, f"{middle:.1f} ms", f"{min(times):.1f}", f"{max(times):.1f}",
                      f"{result['bytes'] / 1e3 / middle:.2f}")
    Console().print(table)
    for name, row in result["ratios"].items():
        print(
            f"{name}: {row['median']:.2f} times theirs "
            f"({row['lowest']:.2f} to {row['highest']:.2f}), at most {row['limit']} wanted"
        )
    print(f"the same ids: {_yes(result['same_ids'])}; "
          f"the same merges: {_yes(result['same_merges'])}")


def measure(text: str, vocab_size: int, rounds: int) -> dict[str, Any]:
    """Every contender once a round, in an order that turns; ratios within a round."""
    import tiktoken
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)

    def train_theirs() -> Any:
        theirs = tokenizers.Tokenizer(models.BPE())
        theirs.pre_tokenizer = byte_level
        theirs.decoder = decoders.ByteLevel()
        theirs.train_from_iterator([text], trainers.BpeTrainer(
            vocab_size=vocab_size, initial_alphabet=byte_level.alphabet(), show_progress=False))
        return theirs

    def train_ours() -> BytePairTokenizer:
        return BytePairTokenizer.train(text, vocab_size, special_tokens=())

    ours, theirs = train_ours(), train_theirs()
    written = ours.to_json()
    ours.encode(text)
    model = json.loads(theirs.to_str())["model"]
    their_merges = [
        tuple(model["vocab"][side] for side in merge) for merge in model["merges"]
    ]
    tik = tiktoken.Encoding("ours", pat_str=PATTERN, special_tokens={},
                            mergeable_ranks=ours.to_tiktoken_ranks())
    # a new one each time, made outside the timing: nothing is remembered yet
    contenders: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
        "npgpt train": (lambda: None, lambda _: train_ours()),
        "tokenizers train": (lambda: None, lambda _: train_theirs()),
        "npgpt cold": (
            lambda: BytePairTokenizer(ours.tokens, ours.merges, ours.special_ids),
            lambda fresh: fresh.encode(text),
        ),
        "npgpt warm": (lambda: ours, lambda ours: ours.encode(text)),
        "tokenizers encode": (
            lambda: tokenizers.Tokenizer.from_str(written), lambda fresh: fresh.encode(text).ids
        ),
        "tiktoken encode": (lambda: tik, lambda tik: tik.encode_ordinary(text)),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    results: dict[str, Any] = {}
    for turn in range(rounds):
        names = [*contenders][turn % len(contenders):] + [*contenders][: turn % len(contenders)]
        for name in names:
            prepare, run = contenders[name]
            prepared = prepare()
            start = time.perf_counter()
            results[name] = run(prepared)
            times[name].append(1e3 * (time.perf_counter() - start))
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    ratios = {}
    for title, mine, other, limit in COMPARED:
        each = [a / b for a, b in zip(times[mine], times[other])]
        ratios[title] = {"median": statistics.median(each), "lowest": min(each),
                         "highest": max(each), "limit": limit}
    encoded = [results[name] for name in contenders if "train" not in name]
    return {
        "bytes": len(text.encode("utf-8")), "words": len(count_words(text)),
        "vocab_size": vocab_size, "rounds": rounds, "milliseconds": times, "ratios": ratios,
        "same_ids": all(ids == encoded[0] for ids in encoded),
        "same_merges": their_merges == ours.merges,
    }


def _text(corpus: str | None, size: int) -> str:
    if corpus is not None:
        text = load_corpus(corpus).text
    else:
        text = load_corpus("python-docs").text
        for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
            if len(text) > size:
                break
            text += path.read_text(encoding="utf-8", errors="ignore")
    return text.encode("utf-8")[:size].decode("utf-8", errors="ignore")


def _yes(answer: bool) -> str:
    return "yes" if answer else "NO"
