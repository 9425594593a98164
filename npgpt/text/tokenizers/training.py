"""The merges of byte pairs, learned from text.

It is fast because each token id is written as one character: a word is a
string, and a merge in a word is `word.replace(pair, new)`, from left to right,
in C. Each distinct word is counted once, with its frequency.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from operator import add

from npgpt.text.tokenizers.checks import as_texts
from npgpt.text.tokenizers.cutting import cut_words
from npgpt.text.tokenizers.naive_byte_pairs import BYTES


def count_words(texts: str | Iterable[str]) -> Counter[str]:
    """How often each word (in the sense of GPT-2's pattern) occurs in the texts."""
    counts: Counter[str] = Counter()
    for text in as_texts(texts):
        counts.update(cut_words(text))
    return counts


def train_merges(word_counts: dict[str, int], limit: int) -> list[tuple[int, int]]:
    """At most `limit` pairs to merge, in order; the first makes id 256.

    The most frequent pair first, counted wherever it stands, so
    three times in "aaaa"; of equally frequent ones the one with the lower ids.
    """
    byte_to_id = bytes(BYTES.index(byte) for byte in range(256))
    words, frequencies = [], [*word_counts.values()]
    counts: defaultdict[str, int] = defaultdict(int)
    found_in: defaultdict[str, set[int]] = defaultdict(set)  # the words that may hold a pair
    for index, (word, frequency) in enumerate(word_counts.items()):
        words.append(word.encode("utf-8").translate(byte_to_id).decode("latin-1"))
        for pair in map(add, words[-1], words[-1][1:]):
            counts[pair] += frequency
            found_in[pair].add(index)
    heap = [(-count, pair) for pair, count in counts.items()]
    heapify(heap)

    merges: list[tuple[int, int]] = []
    while heap and len(merges) < limit:
        count, best = heappop(heap)
        # counts in the heap may be old, but never too low: look again
        if counts[best] != -count:
            if counts[best] > 0:
                heappush(heap, (-counts[best], best))
            continue
        new = chr(256 + len(merges))
        merges.append((ord(best[0]), ord(best[1])))
        born = set()
        for index in found_in.pop(best):
            parts, frequency = words[index].split(best), frequencies[index]
            if len(parts) == 1:
                continue
            words[index] = new.join(parts)
            # pairs further inside a part stay: its ends are enough to count what changes
            ends = [part[0] + part[-1] if len(part) > 2 else part for part in parts]
            before, after = best.join(ends), new.join(ends)
            for pair in map(add, before, before[1:]):
                counts[pair] -= frequency
            for pair in map(add, after, after[1:]):
                counts[pair] += frequency
                if new in pair:
                    found_in[pair].add(index)
                    born.add(pair)
        for pair in born:
            heappush(heap, (-counts[pair], pair))
    return merges
