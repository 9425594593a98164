"""Our byte pairs beside the libraries `tokenizers` and `tiktoken`."""

import json
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npgpt.benchmarks import long_words, picture
from npgpt.benchmarks.machine import machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError
from npgpt.text import BytePairTokenizer, load_corpus
from npgpt.text.tokenizers.byte_pairs import count_words
from npgpt.text.tokenizers.naive_byte_pairs import PATTERN

# what is compared, ours first; the limit is ours / theirs in time
COMPARED = (
    ("train", "npgpt train", "tokenizers train", 3),
    ("encode, as `tokenizers`", "npgpt cold", "tokenizers encode", 1),
    ("encode cold", "npgpt cold", "tiktoken encode", 3),
    ("encode warm", "npgpt warm", "tiktoken encode", 2),
)


def measure(corpus: str | None, size: int, vocab_size: int, rounds: int) -> dict[str, Any]:
    """The record. InputError where one of the two libraries is not installed."""
    try:
        import tiktoken  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed: pip install tokenizers tiktoken"
        ) from None
    text = read_text(corpus, size)
    result = measure_text(text, vocab_size, rounds)
    result["long_words"] = long_words.measure(long_words.train(text, vocab_size), rounds)
    result["machine"] = machine()
    return result


def measure_text(text: str, vocab_size: int, rounds: int) -> dict[str, Any]:
    """Every contender once per round, each round in another order; ratios are taken
    within a round."""
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


def read_text(corpus: str | None, size: int) -> str:
    """The first `size` bytes of a corpus; without one, Python's documentation and sources."""
    if corpus is not None:
        text = load_corpus(corpus).text
    else:
        text = load_corpus("python-docs").text
        for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
            if len(text) > size:
                break
            text += path.read_text(encoding="utf-8", errors="ignore")
    return text.encode("utf-8")[:size].decode("utf-8", errors="ignore")


def report(result: dict[str, Any]) -> Report:
    rows = []
    for name, times in result["milliseconds"].items():
        middle = statistics.median(times)
        rows.append([name, f"{middle:.1f} ms", f"{min(times):.1f}", f"{max(times):.1f}",
                     f"{result['bytes'] / 1e3 / middle:.2f}"])
    return [
        f"{result['bytes']:,} bytes, {result['words']:,} distinct words, "
        f"vocabulary {result['vocab_size']:,}, {result['rounds']} rounds",
        Table(["", "median", "lowest", "highest", "MB/s"], rows),
        *(f"{name}: {row['median']:.2f} times theirs "
          f"({row['lowest']:.2f} to {row['highest']:.2f}), at most {row['limit']} wanted"
          for name, row in result["ratios"].items()),
        f"the same ids: {'yes' if result['same_ids'] else 'NO'}; "
        f"the same merges: {'yes' if result['same_merges'] else 'NO'}",
        *long_words.report(result["long_words"]),
    ]


def draw(result: dict[str, Any], file: Path) -> None:
    times = {name: [time / 1e3 for time in each]
             for name, each in result["milliseconds"].items()}
    picture.save_bars(file, {f"{result['bytes'] / 1e6:.1f} MB of text": times})
