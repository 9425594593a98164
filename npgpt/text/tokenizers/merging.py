"""Byte pairs in one word, in a time of n log n for n bytes, whatever the word.

Replacing pairs in the whole word, rank after rank, would read a long word
again for each of them. Here the word is a linked list, and only the pairs
beside a merge are looked at.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise


def merge_word(
    ids: Sequence[int],
    merges: Sequence[tuple[int, int]],
    made: Sequence[int],
    ranks: Mapping[tuple[int, int], int],
) -> list[int]:
    """The ids with all merges done, the lowest rank first, of one rank the leftmost first.

    `merges[rank]` is a pair, `made[rank]` the id that replaces it, `ranks` leads
    from pair to rank. No merge may use an id that is made by it or by a later one
    (`in_order`): a rank that is done does not come again, so all its pairs are merged
    together.
    """
    end = len(ids)
    # a linked list as a ring: between the last id and the first stands -1, which is no id
    items = [*ids, -1]
    after, before = [*range(1, end + 1), 0], [end, *range(end)]
    positions: defaultdict[int, list[int]] = defaultdict(list)  # rank -> where its pairs begin
    for position, pair in enumerate(pairwise(ids)):
        rank = ranks.get(pair)
        if rank is not None:
            positions[rank].append(position)
    heap = [*positions]
    heapify(heap)
    while heap:
        lowest = heappop(heap)
        for left in sorted(positions.pop(lowest)):
            right = after[left]
            if (items[left], items[right]) != merges[lowest]:
                continue  # an earlier merge took one of the two
            items[left], items[right] = made[lowest], -1
            after[left] = after[right]
            before[after[left]] = left
            for begin in (before[left], left):
                rank = ranks.get((items[begin], items[after[begin]]))
                if rank is not None:
                    if rank not in positions:
                        heappush(heap, rank)
                    positions[rank].append(begin)
    return [id for id in items if id >= 0]


def in_order(merges: Sequence[tuple[int, int]], made: Sequence[int]) -> bool:
    """Whether every merge uses only what earlier ones make. Training gives them so; Llama-3's
    file does not: it lists each way in which two tokens make a third."""
    used: set[int] = set()
    for pair, new in zip(merges, made):
        used.update(pair)
        if new in used:
            return False
    return True


def merge_word_in_any_order(
    ids: Sequence[int],
    merges: Sequence[tuple[int, int]],
    made: Sequence[int],
    ranks: Mapping[tuple[int, int], int],
) -> list[int]:
    """As `merge_word`, whatever the order of the merges: one of them may open a pair of a
    lower rank than its own, which is then the next."""
    end = len(ids)
    items = [*ids, -1]
    after, before = [*range(1, end + 1), 0], [end, *range(end)]
    heap = [(ranks[pair], position) for position, pair in enumerate(pairwise(ids))
            if pair in ranks]
    heapify(heap)
    while heap:
        rank, left = heappop(heap)
        right = after[left]
        if (items[left], items[right]) != merges[rank]:
            continue  # an earlier merge took one of the two
        items[left], items[right] = made[rank], -1
        after[left] = after[right]
        before[after[left]] = left
        for start in (before[left], left):
            opened = ranks.get((items[start], items[after[start]]))
            if opened is not None:
                heappush(heap, (opened, start))
    return [id for id in items if id >= 0]
