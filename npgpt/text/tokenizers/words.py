"""A tokenizer whose tokens are words, and the single characters between them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import regex

from npgpt.errors import InputError
from npgpt.text.tokenizers.checks import as_texts, check_ids, check_room, check_text, decode_utf8
from npgpt.text.tokenizers.special_tokens import check_special_tokens, split_special
from npgpt.text.tokenizers.streaming import StreamDecoder
from npgpt.text.tokenizers.tokenizer_json import save_text, word_level_json

# a run of letters, marks, digits and underscores, or any one other character:
# the pieces, joined, are the text again
PATTERN = r"[\p{L}\p{M}\p{N}_]+|[^\p{L}\p{M}\p{N}_]"
SPECIAL_TOKENS = ("<unk>", "<pad>", "<bos>", "<eos>")


class WordTokenizer:
    """Special tokens come first, then the words, the most frequent first.

    A word that the vocabulary lacks becomes <unk>, so only text made of
    known words comes back whole.
    """

    kind = "words"

    def __init__(self, words: Iterable[str], special_tokens: Iterable[str] = ()) -> None:
        self.words = list(words)
        names = check_special_tokens([*SPECIAL_TOKENS, *special_tokens])
        self._tokens = names + self.words
        self._ids = {word: len(names) + n for n, word in enumerate(self.words)}
        self._find = regex.compile(PATTERN).findall
        self.special_ids = {name: id for id, name in enumerate(names)}
        for word in self.words:
            check_text(word)
            if word in self.special_ids or self._find(word) != [word]:
                raise InputError(
                    f"{word!r} is a special token or not one word: "
                    "write special tokens with punctuation, as in <|end|>"
                )
        if len(self._ids) != len(self.words):
            raise InputError("some word occurs twice in the vocabulary")

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int | None = None,
        special_tokens: Iterable[str] = (),
    ) -> "WordTokenizer":
        """All words of the texts, or the most frequent up to `vocab_size`
        (special tokens counted); of equally frequent ones the one that sorts first."""
        extra = check_special_tokens(special_tokens)
        find = regex.compile(PATTERN).findall
        counts: Counter[str] = Counter()
        for text in as_texts(texts):
            counts.update(find(text))
        room = check_room(vocab_size, len(counts), len(SPECIAL_TOKENS) + len(extra))
        return cls(sorted(counts, key=lambda word: (-counts[word], word))[:room], extra)

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """One id for each word or character between words, <unk> for unknown ones."""
        check_text(text)
        unknown = self.special_ids["<unk>"]
        ids: list[int] = []
        for piece, special in split_special(text, allowed_special, self.special_ids):
            if special is None:
                ids += [self._ids.get(word, unknown) for word in self._find(piece)]
            else:
                ids.append(special)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        ids = check_ids(ids, self.vocab_size)
        return "".join([self._tokens[id] for id in ids])

    def encode_bytes(self, data: bytes) -> list[int]:
        """As `encode`; the bytes must be UTF-8, for there is no token below a word."""
        return self.encode(decode_utf8(data))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        return self.decode(ids).encode("utf-8")

    def stream_decoder(self) -> StreamDecoder:
        return StreamDecoder(self.decode_bytes)

    def to_json(self) -> str:
        """The text of tokenizer.json."""
        return word_level_json(self._tokens, PATTERN, self.special_ids)

    def save(self, file: str | Path) -> None:
        """Write tokenizer.json."""
        save_text(file, self.to_json())
