"""Step 6: which documents are held out, decided by a hash of their text, not by chance or order."""

import hashlib
from collections import Counter


def split_key(text: str, seed: int = 0) -> int:
    """A whole number below 2**64 from the words of a text.

    Spaces, letter case and lines without a letter or digit (the rule under
    a heading) do not count, so copies of a document that differ only in
    these stay on one side.
    """
    lines = (line for line in text.casefold().split("\n") if any(map(str.isalnum, line)))
    salt = seed.to_bytes(16, "big")
    words = " ".join(" ".join(lines).split())
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8, salt=salt).digest(), "big")


def split_documents(documents: list[str], ratio: float = 0.1) -> tuple[list[str], list[str]]:
    """(train, validation), both in the documents' order; `ratio` of the characters is held out.

    Documents are taken in the order of their key, each with its copies, as
    long as they fit; it is enough when 0.9 of it is full.
    Where nothing fits, the shortest document is held out; a single document
    is not.
    """
    copies: dict[int, list[int]] = {}
    for index, document in enumerate(documents):
        copies.setdefault(split_key(document), []).append(index)
    sizes = {key: sum(len(documents[i]) for i in copies[key]) for key in copies}
    keys = sorted(copies)
    weights = [sizes[key] for key in keys]
    chosen = [keys[i] for i in in_order(weights, ratio)] if len(keys) > 1 else []
    held_out = {i for key in chosen for i in copies[key]}
    train = [document for i, document in enumerate(documents) if i not in held_out]
    validation = [document for i, document in enumerate(documents) if i in held_out]
    return train, validation


def in_order(weights: list[int], ratio: float) -> list[int]:
    """Which of them are held out: one after another, as long as they fit into `ratio` of
    all, until 0.9 of that is full; or else the smallest."""
    room = ratio * sum(weights)
    chosen, taken = [], 0
    for i, weight in enumerate(weights):
        if taken >= 0.9 * room:
            break
        if taken + weight <= room:
            taken += weight
            chosen.append(i)
    return chosen or [min(range(len(weights)), key=lambda i: weights[i])]


REPEATED = 40  # characters of a paragraph, at least, whose copies are looked for


def repeated(paragraphs: list[str]) -> list[bool]:
    """Which paragraphs of one text are there several times, letter case and spaces aside."""
    keys = [" ".join(text.casefold().split()) for text in paragraphs]
    counts = Counter(keys)
    return [counts[key] > 1 and len(key) >= REPEATED for key in keys]
