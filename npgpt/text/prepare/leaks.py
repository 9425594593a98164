"""Step 6, checked: no validation document is also, or almost, a training document."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from npgpt.errors import InputError
from npgpt.text.prepare import dedup
from npgpt.text.prepare.work import TRAIN, VALIDATION, Work


def check_leaks(work: Work, stage: Path) -> None:
    """Fail where a validation document equals, or nearly equals, a training document.

    Equal: by the documents as they were written, letter case aside. Nearly: by
    their signatures, compared without the index that dropped the others.
    """
    keys: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for about in work.encoded(stage):
        for side in (TRAIN, VALIDATION):
            keys[side].append(np.array(about["keys"][side], np.uint64))
    same = np.intersect1d(np.concatenate(keys[TRAIN]), np.concatenate(keys[VALIDATION]))
    leaks = len(same)
    if work.settings.near:
        verdicts, _ = work.verdicts(stage)

        def rows(side: int) -> Iterator[np.ndarray]:
            start = 0
            for _, _, arrays in work.portions():
                signatures = arrays["signatures"]
                yield signatures[verdicts[start : start + len(signatures)] == side]
                start += len(signatures)

        index = dedup.empty_index(work.settings.near)
        leaks += near_leaks(rows(TRAIN), rows(VALIDATION), work.settings.near, index.b, index.r)
    if leaks:
        raise InputError(
            f"{leaks} documents stand in both training and validation; nothing was written to "
            f"{work.out}"
        )


def near_leaks(
    train: Iterable[np.ndarray],
    validation: Iterable[np.ndarray],
    threshold: float,
    bands: int,
    rows: int,
) -> int:
    """How many of the validation signatures agree with a training signature.

    Signatures come in arrays (n, K) of uint32. A pair is compared where one of the `bands`
    groups of `rows` numbers is equal; it agrees where `threshold` of all numbers are.
    """
    theirs = np.concatenate(list(validation))
    leaks = np.zeros(len(theirs), bool)
    order, known = [], []
    for band in range(bands):
        hashes = _band_hash(theirs, band, rows)
        order.append(np.argsort(hashes, kind="stable"))
        known.append(hashes[order[-1]])
    for signatures in train:
        for band in range(bands):
            hashes = _band_hash(signatures, band, rows)
            low = np.searchsorted(known[band], hashes, "left")
            high = np.searchsorted(known[band], hashes, "right")
            for one in np.flatnonzero(high > low):
                mates = order[band][low[one] : high[one]]
                agree = (theirs[mates] == signatures[one]).mean(axis=1)
                leaks[mates[agree >= threshold]] = True
    return int(leaks.sum())


def _band_hash(signatures: np.ndarray, band: int, rows: int) -> np.ndarray:
    hashes = np.zeros(len(signatures), np.uint64)
    for column in range(band * rows, (band + 1) * rows):
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes += signatures[:, column]
    return hashes
