"""A tokenizer whose tokens are single characters."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from npgpt.errors import InputError
from npgpt.text.special_tokens import as_texts, check_special_tokens, check_text, split_special
from npgpt.text.streaming import StreamDecoder
from npgpt.text.tokenizer_json import save_text, word_level_json

PATTERN = r"[\s\S]"  # one character, whatever it is


class CharacterTokenizer:
    """Ids are the places of the characters in `characters`; special tokens follow."""

    kind = "characters"

    def __init__(self, characters: Iterable[str], special_tokens: Iterable[str] = ()) -> None:
        self.characters = list(characters)
        names = check_special_tokens(special_tokens)
        self._tokens = self.characters + names
        self._ids = {character: id for id, character in enumerate(self.characters)}
        self.special_ids = {name: len(self.characters) + n for n, name in enumerate(names)}
        if any(len(character) != 1 for character in self.characters):
            raise InputError("each entry of a character vocabulary must be one character")
        if len({*self._tokens}) != len(self._tokens):
            raise InputError("a character vocabulary names some entry twice")

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int | None = None,
        special_tokens: Iterable[str] = (),
    ) -> "CharacterTokenizer":
        """All characters of the texts, sorted. With `vocab_size` (special tokens
        counted) only the most frequent ones, of equals the lower code point."""
        names = check_special_tokens(special_tokens)
        counts: Counter[str] = Counter()
        for text in as_texts(texts):
            counts.update(text)
        if not counts:
            raise InputError("the training text is empty: a tokenizer needs text to learn from")
        room = len(counts) if vocab_size is None else vocab_size - len(names)
        if not 1 <= room <= len(counts):
            raise InputError(
                f"vocabulary of {vocab_size}: this text gives from {1 + len(names)} "
                f"to {len(counts) + len(names)} entries, special tokens counted"
            )
        frequent = sorted(counts, key=lambda character: (-counts[character], character))
        return cls(sorted(frequent[:room]), names)

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """One id a character; InputError names the characters it does not know."""
        check_text(text)
        ids: list[int] = []
        try:
            for piece, special in split_special(text, allowed_special, self.special_ids):
                ids += map(self._ids.__getitem__, piece) if special is None else [special]
        except KeyError:
            unknown = sorted({*text} - {*self._ids} - {*"".join(self.special_ids)})
            unknown = unknown or sorted({*text} - {*self._ids})
            shown = " ".join(map(repr, unknown[:8])) + (" …" if len(unknown) > 8 else "")
            raise InputError(
                f"the vocabulary has no character {shown}: "
                "train the tokenizer on text that holds it, or use byte pairs"
            ) from None
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        return "".join([self.token(id) for id in ids])

    def encode_bytes(self, data: bytes) -> list[int]:
        """As `encode`; the bytes must be UTF-8, for there is no token below a character."""
        return self.encode(decode_utf8(data))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        return self.decode(ids).encode("utf-8")

    def token(self, id: int) -> str:
        """The text of one id."""
        if not 0 <= id < len(self._tokens):
            raise InputError(out_of_range(id, len(self._tokens)))
        return self._tokens[id]

    def stream_decoder(self) -> StreamDecoder:
        return StreamDecoder(self.decode_bytes)

    def to_json(self) -> str:
        """The text of tokenizer.json."""
        vocabulary = {token: id for id, token in enumerate(self._tokens)}
        return word_level_json(vocabulary, PATTERN, self.special_ids)

    def save(self, file: str | Path) -> None:
        """Write tokenizer.json."""
        save_text(file, self.to_json())


def decode_utf8(data: bytes) -> str:
    """Bytes as text, or an InputError that says where they stop being UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8: only byte pairs encode any bytes"
        ) from None


def out_of_range(id: int, vocab_size: int) -> str:
    return f"token id {id} is out of range: the vocabulary has ids 0 to {vocab_size - 1}"
