"""Which documents are held out: decided by a hash of their text, never by chance or order."""

import hashlib
from collections.abc import Iterable

import numpy as np


def split_key(text: str, seed: int = 0) -> int:
    """A whole number below 2**64 from the words of a text.

    Blanks, letter case and lines without a letter or digit (the rule under
    a heading) do not count, so copies of a document that differ only in
    these stay on one side.
    """
    lines = (line for line in text.casefold().split("\n") if any(map(str.isalnum, line)))
    salt = seed.to_bytes(16, "big")
    words = " ".join(" ".join(lines).split())
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8, salt=salt).digest(), "big")


def split_documents(documents: list[str], share: float = 0.1) -> tuple[list[str], list[str]]:
    """(train, validation), both in the documents' order; `share` of the characters is held out.

    Documents are taken in the order of their key, each with its copies, as
    long as they fit into the share; it is enough when 0.9 of it is full.
    Where nothing fits, the shortest document is held out; a single document
    is not.
    """
    copies: dict[int, list[int]] = {}
    for index, document in enumerate(documents):
        copies.setdefault(split_key(document), []).append(index)
    sizes = {key: sum(len(documents[i]) for i in copies[key]) for key in copies}
    room = share * sum(sizes.values())
    held_out: set[int] = set()
    taken = 0
    for key in sorted(copies):
        if taken >= 0.9 * room:
            break
        if taken + sizes[key] <= room:
            taken += sizes[key]
            held_out.update(copies[key])
    if not held_out and len(copies) > 1:
        held_out.update(copies[min(copies, key=lambda key: (sizes[key], key))])
    train = [document for i, document in enumerate(documents) if i not in held_out]
    validation = [document for i, document in enumerate(documents) if i in held_out]
    return train, validation


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
    held = np.concatenate(list(validation))
    leaks = np.zeros(len(held), bool)
    order, known = [], []
    for band in range(bands):
        hashes = _band_hash(held, band, rows)
        order.append(np.argsort(hashes, kind="stable"))
        known.append(hashes[order[-1]])
    for signatures in train:
        for band in range(bands):
            hashes = _band_hash(signatures, band, rows)
            low = np.searchsorted(known[band], hashes, "left")
            high = np.searchsorted(known[band], hashes, "right")
            for one in np.flatnonzero(high > low):
                mates = order[band][low[one] : high[one]]
                agree = (held[mates] == signatures[one]).mean(axis=1)
                leaks[mates[agree >= threshold]] = True
    return int(leaks.sum())


def _band_hash(signatures: np.ndarray, band: int, rows: int) -> np.ndarray:
    hashes = np.zeros(len(signatures), np.uint64)
    for column in range(band * rows, (band + 1) * rows):
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes += signatures[:, column]
    return hashes
