"""Words become ids: each distinct word is merged once and remembered."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from sys import getsizeof
from types import MappingProxyType

from npgpt.text.tokenizers.merging import in_order, merge_word, merge_word_in_any_order
from npgpt.text.tokenizers.short_words import WIDTHS, ShortWords

REMEMBERED_BYTES = 2**26  # of memory, for words and their ids
MANY_WORDS = 64  # from here on a table of short words is faster than one after another


class WordEncoder:
    """Encodes words, given the tokenizer's tables: the id of each byte, the pairs
    that are merged, in order, the ids that the merges make, bytes that have no
    token, and words that are tokens whole, with their ids."""

    def __init__(
        self, byte_ids: Sequence[int], merges: Sequence[tuple[int, int]], made: Sequence[int],
        lacking: bytes = b"", whole: Mapping[bytes, int] = MappingProxyType({}),
    ) -> None:
        self._byte_ids, self._merges, self._made = byte_ids, merges, made
        self._lacking, self._whole = lacking, whole
        self.in_order = in_order(merges, made)
        self._merge_word = merge_word if self.in_order else merge_word_in_any_order
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._short_words: ShortWords | None = None  # made when first needed
        self._remembered: dict[str, list[int]] = {}
        self._remembered_bytes = 0

    def encode(self, words: Sequence[str]) -> Iterator[int]:
        """The ids of the words, one word after another."""
        # if another thread forgets all words meanwhile, this dict stays as it is
        remembered = self._remembered
        new = [word for word in {*words} if word not in remembered]
        for word, ids in zip(new, self.merge(new)):
            remembered[word] = ids
            # a dict needs up to 100 bytes for an entry, and each id is an int of 32
            self._remembered_bytes += getsizeof(word) + getsizeof(ids) + 32 * len(ids) + 100
        if self._remembered_bytes > REMEMBERED_BYTES:
            self._remembered, self._remembered_bytes = {}, 0
        return chain.from_iterable(map(remembered.__getitem__, words))

    def merge(self, words: Sequence[str]) -> list[list[int]]:
        """The ids of each word, worked out anew."""
        encoded = [word.encode("utf-8", errors="surrogateescape") for word in words]
        if self._lacking:
            encoded = [word.translate(None, self._lacking) for word in encoded]
        short = [word for word in encoded if len(word) <= WIDTHS[-1] and word not in self._whole]
        if len(short) < MANY_WORDS:
            return [self._merge_one(word) for word in encoded]
        if self._short_words is None:
            self._short_words = ShortWords(self._byte_ids, self._merges, self._made)
        merged = dict(zip(short, self._short_words.merge(short)))
        return [merged.get(word) or self._merge_one(word) for word in encoded]

    def _merge_one(self, word: bytes) -> list[int]:
        if word in self._whole:
            return [self._whole[word]]
        ids = [self._byte_ids[byte] for byte in word]
        return self._merge_word(ids, self._merges, self._made, self._ranks)
