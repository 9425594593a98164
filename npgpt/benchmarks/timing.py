"""Contenders timed in turn, and their ratios."""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any


def interleave(contenders: dict[str, Callable[[], Any]], rounds: int,
               warm: int = 1, timed: int = 1) -> dict[str, list[float]]:
    """Seconds of each contender, one figure a round. In every round each
    runs `warm` times unmeasured, then `timed` times; the order turns."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            run = contenders[name]
            for _ in range(warm):
                run()
            start = time.perf_counter()
            for _ in range(timed):
                run()
            times[name].append((time.perf_counter() - start) / timed)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return times


def ratio(times: dict[str, list[float]], one: str, other: str) -> dict[str, float]:
    """one / other within each round: median and quartiles."""
    each = sorted(a / b for a, b in zip(times[one], times[other]))
    return {"median": statistics.median(each), "low": each[len(each) // 4],
            "high": each[(3 * len(each)) // 4]}


def summary(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: median, least and most."""
    return {"median_ms": 1e3 * statistics.median(seconds), "least_ms": 1e3 * min(seconds),
            "most_ms": 1e3 * max(seconds)}


def spread(row: dict[str, float] | None) -> str:
    """0.71 (0.70–0.73): the median and the middle half."""
    if row is None:
        return "–"
    return f"{row['median']:.2f} ({row['low']:.2f}–{row['high']:.2f})"
