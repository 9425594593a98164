"""A tokenizer whose tokens are single characters."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.tokenizers.checks import as_texts, check_ids, check_room, check_text, decode_utf8
from npgpt.text.tokenizers.special_tokens import check_special_tokens, split_special
from npgpt.text.tokenizers.streaming import StreamDecoder
from npgpt.text.tokenizers.tokenizer_json import save_text, word_level_json

PATTERN = r"[\s\S]"  # one character, whatever it is


class CharacterTokenizer:
    """An id is the position of a character in `characters`; special tokens follow."""

    kind = "characters"

    def __init__(self, characters: Iterable[str], special_tokens: Iterable[str] = ()) -> None:
        self.characters = list(characters)
        names = check_special_tokens(special_tokens)
        self._tokens = self.characters + names
        self._ids = {character: id for id, character in enumerate(self.characters)}
        self.special_ids = {name: len(self.characters) + n for n, name in enumerate(names)}
        for character in self.characters:
            check_text(character)
            if len(character) != 1 or character in self.special_ids:
                raise InputError(f"{character!r} is a special token or not one character")
        if len(self._ids) != len(self.characters):
            raise InputError("some character occurs twice in the vocabulary")

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int | None = None,
        special_tokens: Iterable[str] = (),
    ) -> "CharacterTokenizer":
        """All characters of the texts, sorted. With `vocab_size` (special tokens
        counted) only the most frequent ones, of equally frequent ones the lower code points."""
        names = check_special_tokens(special_tokens)
        counts: Counter[str] = Counter()
        for text in as_texts(texts):
            counts.update(text)
        room = check_room(vocab_size, len(counts), len(names))
        frequent = sorted(counts, key=lambda character: (-counts[character], character))
        return cls(sorted(frequent[:room]), names)

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """One id a character; InputError names the characters it does not know."""
        check_text(text)
        ids: list[int] = []
        for piece, special in split_special(text, allowed_special, self.special_ids):
            if special is not None:
                ids.append(special)
                continue
            try:
                ids += map(self._ids.__getitem__, piece)
            except KeyError:
                unknown = sorted({*piece} - {*self._ids})
                listed = " ".join(map(repr, unknown[:8])) + (" …" if len(unknown) > 8 else "")
                raise InputError(
                    f"the vocabulary has no character {listed}: "
                    "train the tokenizer on text that has it, or use byte pairs"
                ) from None
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        ids = check_ids(ids, self.vocab_size)
        return "".join([self._tokens[id] for id in ids])

    def encode_bytes(self, data: bytes) -> list[int]:
        """As `encode`; the bytes must be UTF-8, for there is no token below a character."""
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
