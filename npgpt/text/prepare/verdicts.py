"""Steps 5 and 6: which documents stay, and on which side."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from npgpt.errors import InputError
from npgpt.text.prepare import dedup
from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.reasons import Reasons
from npgpt.text.prepare.split import in_order
from npgpt.text.prepare.work import (
    DUPLICATES,
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
    sizes = np.concatenate([arrays["sizes"] for _, _, arrays in work.portions()])
    unique = verdicts == TRAIN
    if len(np.unique(keys[unique])) < 2:
        raise InputError(_one_document_only(work, verdicts))
    verdicts[unique & held_out(keys, unique, sizes, work.settings.validation)] = VALIDATION
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


def held_out(
    keys: np.ndarray, unique: np.ndarray, sizes: np.ndarray, ratio: float
) -> np.ndarray:
    """Whether each document is one with a low key: about `ratio` of the characters of the
    `unique` ones; one key at least, never all.

    Where there are many documents, those whose key is below a fixed number: they stay what they
    are when documents are added. Where these would be far from `ratio`, as many in the
    order of their keys as fit, or the shortest document.
    """
    known, which = np.unique(keys[unique], return_inverse=True)
    weights = np.bincount(which, sizes[unique])
    fraction = weights[known <= np.uint64(int(ratio * 2.0**64))].sum() / weights.sum()
    if 0.8 * ratio <= fraction <= 1.25 * ratio and fraction < 1:
        return keys <= np.uint64(int(ratio * 2.0**64))
    chosen = known[in_order(weights.tolist(), ratio)]
    return np.isin(keys, chosen)


def _one_document_only(work: Work, verdicts: np.ndarray) -> str:
    """Why nothing can be held out: what was dropped, and of which files."""
    reasons = Reasons()
    read = 0
    for _, about, _ in work.portions():
        read += about["seen"]
        reasons.join(about["dropped"], about["examples"])
    for verdict, reason in DUPLICATES.items():
        for number in np.flatnonzero(verdicts == verdict).tolist():
            document = work.document(number)
            reasons.add(Dropped(document["source"], document["start"], "", reason))
    lost = []
    for reason, count in reasons.counts.items():
        names = dict.fromkeys(example["source"] for example in reasons.examples[reason])
        more = " …" if count > len(reasons.examples[reason]) else ""
        lost.append(f"{count} × {reason} ({', '.join(names)}{more})")
    said = f"{work.settings.source} gives one document only, so none can be held out"
    if lost:
        return f"{said}: {read} were read, and dropped were {', '.join(lost)}; give more other text"
    return f"{said}; give more text"


def _why(work: Work) -> str:
    reasons = Reasons()
    for _, about, _ in work.portions():
        reasons.join(about["dropped"], {})
    return ", ".join(f"{count} × {reason}" for reason, count in reasons.counts.items()) or "empty"
