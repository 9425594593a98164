"""Steps 5 and 6: which documents stay, and on which side."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from npgpt.errors import InputError
from npgpt.text.prepare import dedup
from npgpt.text.prepare.reasons import Reasons
from npgpt.text.prepare.settings import Settings
from npgpt.text.prepare.work import (
    EXACT_DUPLICATE,
    NEAR_DUPLICATE,
    TRAIN,
    VALIDATION,
    Work,
    is_readable,
    put,
)

Progress = Callable[[str, int, int], None]
"""(stage, megabytes or portions done, of how many; 0 where nobody knows)"""


def decide(work: Work, stage: Path, tell: Progress) -> None:
    """verdicts.npz: for each cleaned document its verdict, and the one it repeats, or -1."""
    if is_readable(stage / "verdicts.npz"):
        return
    total = sum(work.counts)
    if not total:
        raise InputError(f"nothing is left of {work.settings.source}: {_why(work)}")
    tell("finding duplicates", 0, total)

    def digests() -> Iterator[np.ndarray]:
        for _, _, arrays in work.portions():
            yield arrays["digests"]

    twins = dedup.exact_duplicates(digests, total)
    exact = twins != np.arange(total)
    verdicts = np.where(exact, EXACT_DUPLICATE, TRAIN).astype(np.uint8)
    twins[~exact] = -1
    if work.settings.near:
        rows = partial(_signatures, work, tell)
        near = dedup.near_duplicates(rows, ~exact, work.settings.near)
        verdicts[near >= 0] = NEAR_DUPLICATE
        twins = np.where(near >= 0, near, twins)
    keys = np.concatenate([arrays["keys"] for _, _, arrays in work.portions()])
    unique = verdicts == TRAIN
    verdicts[unique & held_out(keys, unique, work.settings)] = VALIDATION
    data = io.BytesIO()
    np.savez(data, verdicts=verdicts, twins=twins)
    put(stage / "verdicts.npz", data.getvalue())


def _signatures(work: Work, tell: Progress, start: int) -> Iterator[tuple[int, np.ndarray]]:
    number = 0
    total = sum(work.counts)
    for portion, count in enumerate(work.counts):
        if number + count > start:
            with np.load(work.cleaned / f"{portion:06}.npz") as arrays:
                rows = arrays["signatures"]
            for row in range(max(0, start - number), count):
                yield number + row, rows[row]
        number += count
        tell("finding duplicates", number, total)


def held_out(keys: np.ndarray, unique: np.ndarray, settings: Settings) -> np.ndarray:
    """Documents whose key is among the lowest; at least one key, and never all."""
    known = np.unique(keys[unique])
    if len(known) < 2:
        raise InputError(
            f"{settings.source} gives one document only, so none can be held out; give more text"
        )
    limit = np.uint64(int(settings.validation * 2.0**64))
    limit = min(max(limit, known[0]), known[-2])
    return keys <= limit


def _why(work: Work) -> str:
    reasons = Reasons()
    for _, about, _ in work.portions():
        reasons.join(about["dropped"], {})
    return ", ".join(f"{count} × {reason}" for reason, count in reasons.counts.items()) or "empty"
