"""Byte pairs in many short words at once: for speed alone, equal to `merge_word` on each.

The words are the rows of a table. A round merges in each row the pair of the
lowest rank, the leftmost if there are several, and what follows moves up by one.
"""

from collections.abc import Sequence

import numpy as np

WIDTHS = (8, 16, 32)  # bytes; words of similar length share a table


class ShortWords:
    """Merges words of up to `WIDTHS[-1]` bytes, given the tokenizer's tables:
    the id of each byte, the pairs by rank, and the id that each merge makes."""

    def __init__(
        self, byte_ids: Sequence[int], merges: Sequence[tuple[int, int]], made: Sequence[int]
    ) -> None:
        self._byte_ids = np.array(byte_ids, np.int32)
        self._made = np.array(made, np.int32)
        self._no_rank = len(merges)
        # an id beyond all others fills up the rows; no merge uses it
        self._filler = 1 + max(*byte_ids, *made)
        pairs = np.array(merges, np.int64).reshape(-1, 2)
        keys = self._key(pairs[:, 0], pairs[:, 1])
        order = np.argsort(keys)
        self._keys = np.append(keys[order], np.iinfo(np.int64).max)
        self._ranks = np.append(order, self._no_rank).astype(np.int32)

    def merge(self, words: Sequence[bytes]) -> list[list[int]]:
        """The ids of each word."""
        lengths = np.array([len(word) for word in words])
        encoded: list[list[int]] = [[]] * len(words)
        shorter = 0
        for width in WIDTHS:
            chosen = np.flatnonzero((lengths > shorter) & (lengths <= width))
            shorter = width
            if len(chosen):
                text = b"".join([words[index] for index in chosen.tolist()])
                table = np.full((len(chosen), width + 1), self._filler, np.int32)
                inside = np.arange(width + 1) < lengths[chosen, None]
                table[inside] = self._byte_ids[np.frombuffer(text, np.uint8)]
                rows, counts = self._merge_rows(table, lengths[chosen])
                for index, row, count in zip(chosen.tolist(), rows.tolist(), counts.tolist()):
                    encoded[index] = row[:count]
        return encoded

    def _merge_rows(self, ids: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ids (rows, width + 1) and how many of them count in each row -> both, merged."""
        done = ids.copy()
        open_rows = np.arange(len(ids))                       # those that `ids` holds
        ranks = self._rank(ids[:, :-1], ids[:, 1:])
        while True:
            position = ranks.argmin(axis=1)                   # the leftmost of equals
            rank = ranks[np.arange(len(ids)), position]
            more = rank < self._no_rank
            done[open_rows[~more], : ids.shape[1]] = ids[~more]
            open_rows, ids, ranks = open_rows[more], ids[more], ranks[more]
            if not len(ids):
                return done, counts
            position, rank = position[more], rank[more]
            counts[open_rows] -= 1
            # what follows the pair's first id moves up by one
            beyond = np.arange(ids.shape[1] - 1) > position[:, None]
            ids = np.where(beyond, ids[:, 1:], ids[:, :-1])
            ranks = np.where(beyond[:, :-1], ranks[:, 1:], ranks[:, :-1])
            row = np.arange(len(ids))
            ids[row, position] = self._made[rank]
            for begin in (np.maximum(position - 1, 0), position):
                ranks[row, begin] = self._rank(ids[row, begin], ids[row, begin + 1])

    def _key(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """One number for each pair of ids."""
        return left * np.int64(self._filler + 1) + right

    def _rank(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The ranks of pairs of ids; `_no_rank` for those that no merge joins."""
        keys = self._key(left, right)
        index = np.searchsorted(self._keys, keys)
        return np.where(self._keys[index] == keys, self._ranks[index], np.int32(self._no_rank))
