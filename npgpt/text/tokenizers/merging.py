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
    from pair to rank. No merge may use an id that is made by it or by a later one:
    a rank that is done does not come again, so all its pairs are merged together.
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
