"""Toy sequences: a source of random letters, and a target made of it by a
rule that is known. Whoever reads one can tell whether a model has learnt it.

    source    b a d            what the encoder reads
    inputs    ^ d a b          what the decoder reads, to reverse it
    targets     d a b $        what it is to write, one place on
"""

import string

import numpy as np

from npgpt.random_stream import uniforms

PADDING, START, END, FIRST = range(4)           # ids; those of the letters begin at FIRST
ALPHABET = string.ascii_lowercase
VOCAB_SIZE = FIRST + len(ALPHABET)
IGNORED = -100                                  # a target that is not counted

TASKS = {
    "reverse": lambda ids: ids[::-1],
    "copy": lambda ids: ids,
    "sort": np.sort,
}


def draw_pairs(task, shortest, longest, count, seed, step, stream="pairs"):
    """-> a batch of `count` pairs of that many letters each, the same for the
    same seed, step and stream: {"inputs": {"source": (B, S), "target":
    (B, S + 1)}, "targets": (B, S + 1), "mask": {"source": (B, 1, 1, S)}}.

    Shorter rows end in padding, which the mask hides and no target counts."""
    spread = uniforms((count,), seed, step, f"{stream}.lengths")
    lengths = shortest + (spread * (longest - shortest + 1)).astype(np.int64)
    draws = uniforms((count, longest), seed, step, stream)
    symbols = FIRST + (draws * len(ALPHABET)).astype(np.int64)
    return as_batch(task, [row[:length] for row, length in zip(symbols, lengths)], longest)


def as_batch(task, sources, longest=None):
    """Sources, a list of arrays of ids -> the batch, padded to `longest`."""
    longest = longest or max(map(len, sources))
    source = np.full((len(sources), longest), PADDING)
    target = np.full((len(sources), longest + 1), PADDING)
    targets = np.full((len(sources), longest + 1), IGNORED)
    for row, ids in enumerate(sources):
        wanted = TASKS[task](ids)
        source[row, :len(ids)] = ids
        target[row, :len(ids) + 1] = [START, *wanted]   # the decoder's input: shifted by one
        targets[row, :len(ids) + 1] = [*wanted, END]
    return {"inputs": {"source": source, "target": target}, "targets": targets,
            "mask": {"source": (source != PADDING)[:, None, None]}}


def without_positions(batch):
    """The same batch, with every token at position 0."""
    return {**batch, "positions": {
        name: np.zeros_like(ids) for name, ids in batch["inputs"].items()}}


def encode(text):
    """-> the ids of a text of the letters a to z."""
    return np.array([FIRST + ALPHABET.index(character) for character in text])


def decode(ids):
    """-> the letters of a row of ids, up to the first end token; padding and
    the start token are left out."""
    text = ""
    for token in ids:
        if token == END:
            break
        if token >= FIRST:
            text += ALPHABET[token - FIRST]
    return text
