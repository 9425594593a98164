"""Step 6: which documents are held out, decided by a hash of their text, not by chance or order."""

import hashlib


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
    room = ratio * sum(sizes.values())
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
