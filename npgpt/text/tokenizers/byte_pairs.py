"""Byte-level byte pairs: GPT-2's tokenizer, trained and run at speed.

`naive_byte_pairs` does the same on one page; `training` learns the merges, and
`word_encoder` applies them.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from npgpt.errors import InputError, quote
from npgpt.files import parse_json
from npgpt.text.tokenizers.byte_level import write_byte_level
from npgpt.text.tokenizers.checks import as_texts, check_ids, check_text
from npgpt.text.tokenizers.cutting import GPT2, Cutting, cut_blocks
from npgpt.text.tokenizers.naive_byte_pairs import BYTES, PRINTING
from npgpt.text.tokenizers.special_tokens import (
    END_OF_TEXT,
    check_special_tokens,
    names_to_find,
    split_special,
)
from npgpt.text.tokenizers.streaming import StreamDecoder
from npgpt.text.tokenizers.tokenizer_json import save_text
from npgpt.text.tokenizers.training import count_words, train_merges
from npgpt.text.tokenizers.word_encoder import WordEncoder

# how a tokenizer.json and GPT-2's files spell each byte: those that do not
# print, the space among them, are moved up to 256 and on
SPELLING = {
    byte: chr(byte if byte in PRINTING else 256 + id - len(PRINTING))
    for id, byte in enumerate(BYTES)
}
MOST_LACKING = 64  # bytes without a token: more is another kind of vocabulary
_SPELT = {character: byte for byte, character in SPELLING.items()}


class BytePairTokenizer:
    """Tokens are bytes and what merging them makes, so every text and every
    string of bytes has its ids, and comes back whole. Some families lack tokens
    for bytes that hardly occur (`lacking`): those are left out of the ids, as the
    `tokenizers` library leaves them out.

    `tokens` holds each id's bytes (a special token's name), `merges` the pairs
    of ids in the order learned, `special_ids` the special tokens; those of them
    in `added` are found in any text, as whole words that were added later are.
    `cutting` is how a family cuts text into words; with `whole_words` a word that
    is itself a token is not merged; `before` are the special tokens that the family
    puts before a text: `encode` does not, a prompt begins with them.
    """

    kind = "bpe"

    def __init__(
        self,
        tokens: Iterable[bytes],
        merges: Iterable[tuple[int, int]],
        special_ids: dict[str, int],
        added: Iterable[str] = (),
        cutting: Cutting = GPT2,
        whole_words: bool = False,
        before: Iterable[str] = (),
    ) -> None:
        self.tokens, self.merges, self.special_ids = list(tokens), list(merges), special_ids
        self.added, self.before = tuple(added), tuple(before)
        self.cutting, self.whole_words = cutting, whole_words
        check_special_tokens(special_ids)
        special = {id for name, id in special_ids.items() if name not in self.added}
        ids = {token: id for id, token in enumerate(self.tokens) if id not in special}
        if len(ids) + len(special) != len(self.tokens):
            raise InputError("some token occurs twice in the vocabulary")
        self.lacking = bytes(byte for byte in range(256) if bytes([byte]) not in ids)
        if len(self.lacking) > MOST_LACKING:
            raise InputError(f"the vocabulary lacks {len(self.lacking)} of the 256 bytes")
        for name in special_ids:
            spelt = bytes(_SPELT.get(character, 0) for character in name)
            if spelt in ids and name not in self.added:
                raise InputError(
                    f"special token {quote(name)} is also a piece of text: "
                    "write it with punctuation, as in <|end|>"
                )
        self._byte_ids = [ids.get(bytes([byte]), 0) for byte in range(256)]
        self._made: list[int] = []  # the id that each merge makes
        for left, right in self.merges:
            made = ids.get(self.tokens[left] + self.tokens[right])
            if made is None:
                raise InputError(f"the merge of ids {left} and {right} makes no token")
            self._made.append(made)
        self._words = WordEncoder(
            self._byte_ids, self.merges, self._made, self.lacking, ids if whole_words else {})

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        special_tokens: Iterable[str] = (END_OF_TEXT,),
    ) -> "BytePairTokenizer":
        """Ids: the 256 bytes in GPT-2's order, the merges, the special tokens.

        `vocab_size` counts them all. Ties are broken as `train_merges` says, so
        the same texts give the same tokenizer on every machine.
        """
        names = check_special_tokens(special_tokens)
        least = 256 + len(names)
        if vocab_size < least:
            raise InputError(
                f"a vocabulary of {vocab_size} is too small: byte pairs need 256 for the bytes"
                f" and {len(names)} for special tokens, so at least {least}"
            )
        word_counts = count_words(texts)
        if not word_counts:
            raise InputError("the training text is empty: a tokenizer needs text to learn from")
        merges = train_merges(word_counts, vocab_size - least)
        if least + len(merges) < vocab_size:
            raise InputError(
                f"a vocabulary of {vocab_size} is out of reach: this text gives at most "
                f"{least + len(merges)}; give a vocabulary of at most that, or more varied text"
            )
        tokens = [bytes([byte]) for byte in BYTES]
        for left, right in merges:
            tokens.append(tokens[left] + tokens[right])
        special_ids = {name: len(tokens) + n for n, name in enumerate(names)}
        return cls(tokens + [name.encode("utf-8") for name in names], merges, special_ids)

    @classmethod
    def from_gpt2(
        cls, vocab_bpe: str | Path, encoder_json: str | Path,
        more: dict[str, int] | None = None, added: Iterable[str] = (),
    ) -> "BytePairTokenizer":
        """Read GPT-2's own two files (elsewhere called merges.txt and vocab.json).

        What the vocabulary holds beyond bytes and merges is a special token, and so is
        what `more` adds to it, with its ids; those in `added` are found in any text.
        """
        try:
            lines = Path(vocab_bpe).read_text(encoding="utf-8-sig").split("\n")
            vocabulary = parse_json(Path(encoder_json).read_bytes())
        except OSError as error:
            raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{vocab_bpe} or {encoder_json} is damaged: {error}") from error
        if not isinstance(vocabulary, dict):
            raise InputError(f"{encoder_json} is damaged: it holds no vocabulary")
        merges = [line.strip() for line in lines if line.strip() and line[:9] != "#version:"]
        made = {*_SPELT, *(merge.replace(" ", "") for merge in merges)}
        special_ids = {name: id for name, id in vocabulary.items() if name not in made}
        special_ids |= more or {}
        return cls.from_spelt(vocabulary, merges, special_ids, added)

    @classmethod
    def from_spelt(
        cls, vocabulary: dict[str, int], merges: Iterable[str], special_ids: dict[str, int],
        added: Iterable[str] = (), cutting: Cutting = GPT2, whole_words: bool = False,
        before: Iterable[str] = (),
    ) -> "BytePairTokenizer":
        """From tokens spelt as in GPT-2's files, merges as "left right". Special tokens
        are written as they are, and so are those of them in `added`."""
        whole = {**vocabulary, **special_ids}
        names = {id: name for name, id in special_ids.items()}
        numbers = all(type(id) is int for id in whole.values())
        if not numbers or sorted(whole.values()) != list(range(len(whole))):
            raise InputError(f"the {len(whole)} ids are not 0 to {len(whole) - 1}, each once")
        try:
            tokens = [
                name.encode("utf-8") if id in names else bytes([_SPELT[c] for c in name])
                for name, id in sorted(whole.items(), key=lambda item: item[1])
            ]
            pairs = []
            for merge in merges:
                left, right = merge.split(" ")
                pairs.append((vocabulary[left], vocabulary[right]))
        except (KeyError, ValueError) as error:
            raise InputError(
                f"these are not byte-level tokens and merges: {quote(error)}") from None
        return cls(tokens, pairs, special_ids, added, cutting, whole_words, before)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    def encode(self, text: str, allowed_special: str | Iterable[str] = ()) -> list[int]:
        """The ids of any text; names of special tokens are text unless allowed."""
        check_text(text)
        names = names_to_find(allowed_special, self.special_ids, self.added)
        return [*chain.from_iterable(self._encode_blocks([text], names))]

    def encode_iterable(
        self, texts: Iterable[str], allowed_special: str | Iterable[str] = ()
    ) -> Iterator[int]:
        """The ids of the texts joined, such as the lines of a file, one after another.

        However long the whole, what is held in memory is some 250,000 characters,
        or a text or a word that is longer.
        """
        names = names_to_find(allowed_special, self.special_ids, self.added)
        return chain.from_iterable(self._encode_blocks(as_texts(texts), names))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; "\\ufffd" stands where they are not whole characters."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def encode_bytes(self, data: bytes) -> list[int]:
        """The ids of any bytes, UTF-8 or not."""
        text = data.decode("utf-8", errors="surrogateescape")
        return [*chain.from_iterable(self._encode_blocks([text], []))]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        ids = check_ids(ids, self.vocab_size)
        return b"".join([self.tokens[id] for id in ids])

    def stream_decoder(self) -> StreamDecoder:
        return StreamDecoder(self.decode_bytes)

    def _encode_blocks(self, texts: Iterable[str], names: list[str]) -> Iterator[Iterable[int]]:
        for block in cut_blocks(texts, names, border=self.cutting.border):
            for piece, special in split_special(block, names, self.special_ids):
                yield (self._words.encode(self.cutting.words(piece)) if special is None
                       else [special])

    def to_tiktoken_ranks(self) -> dict[bytes, int]:
        """Ranks for `tiktoken.Encoding(name, pat_str=PATTERN, mergeable_ranks=ranks,
        special_tokens=tokenizer.special_ids)`, which then gives the same ids. InputError where
        text is not cut and merged as GPT-2's is."""
        if self.cutting != GPT2 or self.whole_words or not self._words.in_order:
            raise InputError(
                "tiktoken's ranks are given for GPT-2's way to cut and merge text; this"
                " tokenizer has another, so its ids would not be the same")
        made = self._made
        if made != sorted(made) or max(self._byte_ids) > min(made, default=2**32):
            raise InputError("tiktoken wants ids in the order of the merges; these are not")
        special = {*self.special_ids.values()}
        return {token: id for id, token in enumerate(self.tokens) if id not in special}

    def to_json(self) -> str:
        """The text of tokenizer.json."""
        names = {id: name for name, id in self.special_ids.items()}
        spelt = [
            names.get(id) or "".join([SPELLING[byte] for byte in token])
            for id, token in enumerate(self.tokens)
        ]
        model = {
            "type": "BPE", "dropout": None, "unk_token": None,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": self.whole_words,
            "vocab": {token: id for id, token in enumerate(spelt)},
            "merges": [f"{spelt[left]} {spelt[right]}" for left, right in self.merges],
        }
        return write_byte_level(model, self.cutting, self.special_ids, self.added, self.before)

    def save(self, file: str | Path) -> None:
        """Write tokenizer.json."""
        save_text(file, self.to_json())

    def __reduce__(self) -> tuple:
        return BytePairTokenizer, (self.tokens, self.merges, self.special_ids, self.added,
                                   self.cutting, self.whole_words, self.before)
