"""Attention, blockwise attention and flash attention: time and memory against the length."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from npgpt import layers
from npgpt.benchmarks import picture, timing
from npgpt.benchmarks.machine import describe, machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError
from npgpt.speed import tune_allocator
from npgpt.speed.threads import one_blas_thread

HEADS, HEAD_SIZE = 2, 64
NAMES = ("attention", "blockwise_attention", "flash_attention")


def measure(lengths: list[str], rounds: int) -> dict[str, Any]:
    """The record: seconds of a forward and a backward pass, causal and without dropout, on
    one thread, and the most bytes that their arrays take. InputError for a length that is
    not a whole number."""
    for length in lengths:
        if not length.isdigit() or int(length) < 1:
            raise InputError(f"length {length!r}: give whole numbers, as in 1024,4096")
    tune_allocator()
    result: dict[str, Any] = {"bench": "attention", "heads": HEADS, "head_size": HEAD_SIZE,
                              "rounds": rounds, "lengths": {}}
    for length in lengths:
        passes = {name: both_passes(name, int(length)) for name in NAMES}
        with one_blas_thread():
            seconds = timing.interleave(passes, rounds)
        result["lengths"][length] = {
            name: {**timing.summary(seconds[name]), "peak_bytes": peak(passes[name]),
                   "of_blockwise": timing.ratio(seconds, name, "blockwise_attention")}
            for name in NAMES}
    result["machine"] = machine()
    return result


def both_passes(name: str, length: int) -> Callable[[], None]:
    """-> what runs forward and backward on drawn queries, keys and values."""
    forward, backward = getattr(layers, name), getattr(layers, f"{name}_backward")
    q, k, v, d_y = np.random.default_rng(length).standard_normal(
        (4, 1, HEADS, length, HEAD_SIZE), np.float32)

    def run() -> None:
        _, saved = forward(q, k, v, causal=True)
        backward(d_y, saved)

    return run


def peak(run: Callable[[], None]) -> int:
    """The most bytes that NumPy's arrays take at one time, beside the inputs."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def report(result: dict[str, Any]) -> Report:
    rows = [[length, name, f"{row['median_ms']:,.1f} ms", timing.spread(row["of_blockwise"]),
             f"{row['peak_bytes'] / 1e6:,.0f} MB"]
            for length, found in result["lengths"].items() for name, row in found.items()]
    return [describe(result["machine"]),
            Table(["tokens", "", "both passes", "of blockwise's time", "peak memory"], rows,
                  f"{result['heads']} heads of {result['head_size']}, causal, one thread")]


def draw(result: dict[str, Any], file: Path) -> None:
    series = {name: [(int(length), found[name]["median_ms"])
                     for length, found in result["lengths"].items()] for name in NAMES}
    picture.save_lines(file, "forward and backward pass", series, "tokens", "ms")


def markdown(result: dict[str, Any]) -> str:
    """A record of `npgpt bench attention` -> the table and its machine."""
    lines = ["| tokens | | both passes | of blockwise's time | peak memory |",
             "|---|---|---|---|---|"]
    for length, found in result["lengths"].items():
        for name, row in found.items():
            lines.append(f"| {int(length):,} | {name.replace('_', ' ')}"
                         f" | {row['median_ms']:,.0f} ms | {timing.spread(row['of_blockwise'])}"
                         f" | {row['peak_bytes'] / 1e6:,.0f} MB |")
    return ("\n".join(lines) + f"\n\n{describe(result['machine'])}; {result['heads']} heads of"
            f" {result['head_size']} channels, causal, one thread, {result['rounds']} rounds.")
