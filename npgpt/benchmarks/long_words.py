"""How long one long word takes, beside `tiktoken`, and how that grows with its length."""

import base64
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from npgpt.benchmarks.report import Report, Table
from npgpt.text import BytePairTokenizer
from npgpt.text.tokenizers.naive_byte_pairs import PATTERN

LENGTHS = (100_000, 200_000)  # characters


def drawn(characters: Sequence[str], length: int) -> str:
    """The same at every call."""
    return "".join(random.Random(1).choices(characters, k=length))


# text without a space for long; GPT-2's pattern cuts only base64 into shorter words
LONG_WORDS: dict[str, Callable[[int], str]] = {
    "DNA": lambda length: drawn("ACGT", length),
    "base64": lambda length: base64.b64encode(random.Random(1).randbytes(length)).decode()[:length],
    "one emoji": lambda length: "😀" * length,
    "emoji": lambda length: drawn("😀😃🙂👍🎉🔥", length),
    "digits": lambda length: drawn("0123456789", length),
    "equals signs": lambda length: "=" * length,
    "spaces": lambda length: " " * length,
    "one letter": lambda length: "a" * length,
    "letters": lambda length: drawn("etaoinshrdlu", length),
    "ideographs": lambda length: drawn([*map(chr, range(0x4E00, 0x4F00))], length),
}


def train(text: str, vocab_size: int) -> BytePairTokenizer:
    """A tokenizer of the text whose merges know the long words too."""
    samples = [make(length) for make in LONG_WORDS.values() for length in (40, 100)]
    return BytePairTokenizer.train([text, *9 * samples, LONG_WORDS["DNA"](2000)], vocab_size, ())


def measure(
    tokenizer: BytePairTokenizer, rounds: int, lengths: Sequence[int] = LENGTHS
) -> dict[str, Any]:
    """{word: milliseconds of both at both lengths, ratios}. All take turns; ratios are
    taken within a round."""
    import tiktoken

    tik = tiktoken.Encoding("ours", pat_str=PATTERN, special_tokens={},
                            mergeable_ranks=tokenizer.to_tiktoken_ranks())
    result: dict[str, Any] = {}
    for name, make in LONG_WORDS.items():
        ours: dict[int, list[float]] = {length: [] for length in lengths}
        theirs: dict[int, list[float]] = {length: [] for length in lengths}
        same = True
        for _ in range(rounds):
            for length in lengths:
                word = make(length)
                # a new one each time: it remembers no word
                fresh = BytePairTokenizer(tokenizer.tokens, tokenizer.merges, {})
                start = time.perf_counter()
                ids = fresh.encode(word)
                middle = time.perf_counter()
                same &= ids == tik.encode_ordinary(word)
                end = time.perf_counter()
                ours[length].append(1e3 * (middle - start))
                theirs[length].append(1e3 * (end - middle))
        short, long = lengths
        result[name] = {
            "npgpt": ours, "tiktoken": theirs, "same_ids": same,
            "growth": middle_of(ours[long], ours[short]),
            "to_tiktoken": middle_of(ours[short], theirs[short]),
        }
        print(f"long words: {name}", file=sys.stderr)
    return result


def middle_of(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(ones, others))


def report(result: dict[str, Any]) -> Report:
    rows, lengths = [], [*next(iter(result.values()))["npgpt"]]
    for name, row in result.items():
        times = [f"{statistics.median(row['npgpt'][length]):.0f} ms" for length in lengths]
        rows.append([name, *times, f"{row['growth']:.1f} ×", f"{row['to_tiktoken']:.1f} ×",
                     "yes" if row["same_ids"] else "NO"])
    heads = ["", *(f"{int(length):,}" for length in lengths), "growth", "to tiktoken", "same ids"]
    return [Table(heads, rows, title="Long words, by characters; at most 3 × and 20 × wanted")]
