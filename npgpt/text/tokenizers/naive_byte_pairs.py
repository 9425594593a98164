"""Byte pairs on one page: the same results as `byte_pairs`, slowly.

Text is cut into words, a word is a list of byte ids, and training joins,
again and again, the two ids that occur side by side most often.
"""

from collections import Counter
from itertools import pairwise

import regex

# an ending such as 's; letters, digits or symbols, one space before; spaces
PATTERN = (
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
# the byte that each id stands for, in GPT-2's order: those that print come first
PRINTING = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = bytes(PRINTING + [byte for byte in range(256) if byte not in PRINTING])


def train(text, vocab_size):
    """The pairs to merge, in order; the first makes id 256, the next 257.
    Of pairs that are equally frequent the one with the lower ids wins."""
    words, merges = split(text), []
    for new in range(256, vocab_size):
        counts = Counter(pair for word in words for pair in pairwise(word))
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [merge(word, best, new) for word in words]
        merges.append(best)
    return merges


def encode(text, merges):
    """Every merge in the order learned, in every word."""
    words = split(text)
    for new, pair in enumerate(merges, start=256):
        words = [merge(word, pair, new) for word in words]
    return [id for word in words for id in word]


def decode(ids, merges):
    tokens = [bytes([byte]) for byte in BYTES]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return b"".join(tokens[id] for id in ids).decode("utf-8", errors="replace")


def split(text):
    words = regex.findall(PATTERN, text)
    return [[BYTES.index(byte) for byte in word.encode("utf-8")] for word in words]


def merge(word, pair, new):
    """From left to right: of a a a, the first two are joined."""
    out = []
    for id in word:
        out.append(id)
        if tuple(out[-2:]) == pair:
            out[-2:] = [new]
    return out
