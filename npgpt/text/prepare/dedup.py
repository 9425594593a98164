"""Step 5: documents that say the same, exactly (by SHA-1) or nearly (by MinHash).

Two documents are near duplicates where they share most of their groups of five
words. MinHash (Broder, 1997) turns a document into 64 numbers, of which two
documents have about the same part in common as of their groups; an index of bands
of those numbers (LSH) finds the pairs without comparing all. Both are
datasketch's.
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.random_stream import raw_draws
from npgpt.text.prepare.document import Document
from npgpt.text.prepare.settings import Settings

PERMUTATIONS = 64
GROUP = 40_000  # documents in the index at once: about 130 MB
WORDS = 5
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # B below: odd, so it has an inverse
_ZERO = np.zeros(1, np.uint64)
_LAST = 0x3FFFF


def word_hashes(text: str) -> np.ndarray:
    """uint64, a hash of each word, letter case aside; of each letter where words are long,
    as in Chinese.

    The characters c of a word from position i to k give Σ c_j B^(j-i), from one running
    sum over the text, so that no word is ever cut out of it.
    """
    apart = f" {text.lower()} "
    points = np.frombuffer(apart.encode("utf-32-le", "surrogatepass"), "<u4")
    in_word = _word_characters()[np.minimum(points, _LAST)]
    edges = np.flatnonzero(in_word[1:] != in_word[:-1]) + 1
    start, end = edges[::2], edges[1::2]
    if (end - start).sum() > 12 * len(start):
        hashes = points[in_word].astype(np.uint64)
    else:
        up, down = _powers(1 << len(points).bit_length())
        sums = np.concatenate([_ZERO, np.cumsum(points * up[: len(points)])])
        hashes = (sums[end] - sums[start]) * down[start]
    hashes *= _FACTOR
    return hashes ^ (hashes >> np.uint64(32))


@lru_cache(1)
def _word_characters() -> np.ndarray:
    """For each code point up to the last plane of letters: is it one, a mark, a digit or "_"?"""
    characters = map(chr, range(_LAST + 1))
    return np.fromiter(
        (unicodedata.category(c)[0] in "LMN" or c == "_" for c in characters), bool, _LAST + 1)


@lru_cache(2)
def _powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The powers 0 to count - 1 of B and of its inverse, modulo 2**64."""
    both = []
    for base in (int(_FACTOR), pow(int(_FACTOR), -1, 1 << 64)):
        powers = np.full(count, base, np.uint64)
        powers[0] = 1
        both.append(np.multiply.accumulate(powers))
    return both[0], both[1]


def shingles(words: np.ndarray) -> tuple[np.ndarray, float]:
    """The set of a document's groups of five words (uint32, sorted), and the part that repeats."""
    count = max(1, len(words) - WORDS + 1)
    groups = np.zeros(count, np.uint64)
    for i in range(min(WORDS, len(words))):
        groups *= _FACTOR
        groups += words[i : i + count] + np.uint64(1)
    groups ^= groups >> np.uint64(29)
    groups *= _FACTOR
    found = np.unique((groups >> np.uint64(32)).astype(np.uint32))
    return found, 1 - len(found) / count


def signature_document(document: Document, settings: Settings) -> Document:
    """The document with its signature, where near duplicates are looked for."""
    if not settings.near:
        return document
    return replace(document, signature=signature(document.groups))


def signature(found: np.ndarray) -> np.ndarray:
    """64 uint32 from a set of hashes: under each of 64 permutations h -> a h + b the least.

    Done here, and not with datasketch's `MinHash`, which takes four times as long.
    """
    a, b = _permutations()
    least = np.full(PERMUTATIONS, 0xFFFFFFFF, np.uint32)
    for start in range(0, len(found), 10_000):  # a row of 64 is made of each
        rows = a * found[start : start + 10_000] + b
        np.minimum(least, rows.min(axis=1), out=least)
    return least


@lru_cache(1)
def _permutations() -> tuple[np.ndarray, np.ndarray]:
    """Odd a and any b, (64, 1) each."""
    raw = raw_draws(2 * PERMUTATIONS, 0, 0, "minhash").astype(np.uint32).reshape(2, -1, 1)
    return raw[0] | np.uint32(1), raw[1]


def load_datasketch() -> Any:
    try:
        import datasketch
    except ImportError:
        raise InputError(
            "near duplicates need datasketch: pip install 'npgpt[data]', or leave them in with "
            "--near 0"
        ) from None
    return datasketch


def empty_index(threshold: float) -> Any:
    """An index that would rather find a pair too many, since each is looked at.

    At 0.8 it has 9 bands of 7: it finds 99.7 % of the pairs that share 0.9, 88 % of
    those that share 0.8, and 0.2 % of those that share 0.3.
    """
    return load_datasketch().MinHashLSH(
        threshold=min(threshold, 0.95), num_perm=PERMUTATIONS, weights=(0.1, 0.9)
    )


def exact_duplicates(digests: Callable[[], Iterator[np.ndarray]], count: int) -> np.ndarray:
    """For each document the number of the first with its digest: its own, if it is the first.

    `digests()` yields arrays (n, 20) of uint8, which are read once for each
    two million documents, so that memory stays small.
    """
    first = np.arange(count)
    parts = 1 + count // 2_000_000
    for part in range(parts):
        found, positions, start = [], [], 0
        for rows in digests():
            mine = np.flatnonzero(rows[:, 0] % parts == part)
            found.append(np.ascontiguousarray(rows[mine]).view("S20").ravel())
            positions.append(mine + start)
            start += len(rows)
        where = np.concatenate(positions)
        _, index, inverse = np.unique(np.concatenate(found), return_index=True, return_inverse=True)
        first[where] = where[index][inverse]
    return first


def near_duplicates(
    signatures: Callable[[int], Iterator[tuple[int, np.ndarray]]],
    alive: np.ndarray,
    threshold: float,
    group: int = GROUP,
) -> np.ndarray:
    """For each document the number of an earlier one that stays and that it nearly equals, or -1.

    `signatures(start)` yields (number, signature) of all documents from
    `start` on; those not `alive` are passed over. The first of some near
    duplicates stays. The index holds `group` documents; the later
    documents are compared with it, and then the next group is indexed: every pair
    is seen, and memory does not grow, while time does, by the square, from
    some groups on.
    """
    datasketch = load_datasketch()
    scheme = datasketch.MinHash(num_perm=2).scheme
    twin = np.full(len(alive), -1)
    for start in range(0, len(alive), group):
        index = empty_index(threshold)
        indexed: dict[int, np.ndarray] = {}
        for number, row in signatures(start):
            if not alive[number] or twin[number] >= 0:
                continue
            minhash = datasketch.LeanMinHash(seed=1, hashvalues=row, scheme=scheme)
            for other in sorted(index.query(minhash)):
                if np.count_nonzero(indexed[other] == row) >= threshold * PERMUTATIONS:
                    twin[number] = other
                    break
            else:
                if number < start + group:
                    index.insert(number, minhash, check_duplication=False)
                    indexed[number] = row
    return twin
