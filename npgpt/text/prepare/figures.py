"""The numbers of `npgpt prepare`'s report, added up over the portions."""

from pathlib import Path
from typing import Any

import numpy as np

from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.personal import first_examples
from npgpt.text.prepare.reasons import EXAMPLES, Reasons, add
from npgpt.text.prepare.work import DUPLICATES, VALIDATION, Work

BITMAP = 1 << 24  # of the vocabulary curve, which counts words by their hashes


def figures_of(work: Work, stage: Path) -> dict[str, Any]:
    """All numbers of the report, added up over the portions."""
    reasons = Reasons()
    masked: dict[str, int] = {}
    masked_examples: dict[str, list[str]] = {}
    scripts: dict[str, int] = {}
    read = size = words = 0
    known = np.zeros(BITMAP, bool)
    curve = [(0, 0)]
    verdicts, twins = work.verdicts(stage)
    for _, about, arrays in work.portions():
        read += about["seen"]
        size += about["bytes"]
        reasons.join(about["dropped"], about["examples"])
        add(masked, about["masked"])
        masked_examples = first_examples([masked_examples, about["masked_examples"]])
        add(scripts, about["letters"])
        curve += _vocabulary(known, words, about["words"], arrays["new_words"], arrays["places"])
        words += about["words"]
    _name_duplicates(work, verdicts, twins, reasons)
    remaining = int(np.count_nonzero(verdicts <= VALIDATION))
    dropped = dict(sorted(reasons.counts.items(), key=lambda item: (-item[1], item[0])))
    if read != remaining + sum(dropped.values()):
        raise AssertionError(f"{read} documents read, {remaining} kept, dropped {dropped}")
    sides = [dict[str, int](), dict[str, int]()]
    lengths = np.zeros(64, int)
    for about in work.encoded(stage):
        for side, counts in zip(sides, about["counts"]):
            add(side, counts)
        # in bins of half a power of two
        bins = (2 * np.log2(np.maximum(1, about["lengths"]))).astype(int)
        lengths += np.bincount(bins, minlength=64)[:64]
    step = -(-len(curve) // 200)
    return {
        "documents": {"seen": read, "kept": remaining, "dropped": dropped},
        "examples": {reason: reasons.examples[reason] for reason in dropped},
        "characters_seen": size,
        "masked": dict(sorted(masked.items())),
        "masked_examples": {kind: masked_examples[kind] for kind in sorted(masked)},
        "letters": dict(sorted(scripts.items(), key=lambda item: (-item[1], item[0]))),
        "sides": sides,
        "lengths": lengths.tolist(),
        "vocabulary": curve[::-step][::-1],
    }


def _vocabulary(
    known: np.ndarray, before: int, count: int, new_words: np.ndarray, positions: np.ndarray
) -> list[tuple[int, int]]:
    """(words read, distinct words) at five positions of a portion; by linear counting
    (Whang et al., 1990), so that words that share a hash are allowed for."""
    if not count:
        return []
    at = new_words % BITMAP
    fresh = ~known[at]
    used = int(np.count_nonzero(known))
    known[at] = True
    points = []
    for fifth in range(1, 6):
        end = count * fifth // 5
        filled = used + np.unique(at[fresh & (positions < end)]).size
        distinct = -BITMAP * np.log1p(-min(filled, BITMAP - 1) / BITMAP)
        points.append((before + end, round(float(distinct))))
    return points


def _name_duplicates(work: Work, verdicts: np.ndarray, twins: np.ndarray, reasons: Reasons) -> None:
    """Count the duplicates, and tell of the first few what they are like."""
    for verdict, reason in DUPLICATES.items():
        numbers = np.flatnonzero(verdicts == verdict)
        for number in numbers[:EXAMPLES].tolist():
            document, twin = work.document(number), work.document(int(twins[number]))
            reasons.add(
                Dropped(document["source"], document["start"], document["text"], reason),
                like=twin["id"],
            )
        if len(numbers) > EXAMPLES:
            reasons.counts[reason] = len(numbers)
