"""What counts as text, and as ids of a vocabulary."""

from collections.abc import Iterable, Iterator
from operator import index

from npgpt.errors import InputError


def check_text(text: str) -> None:
    """Refuse what is not text: another type, or half of a surrogate pair."""
    if not isinstance(text, str):
        raise InputError(f"text must be a str, not {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"text holds a lone surrogate (U+{ord(text[error.start]):04X}) at character "
            f"{error.start}: decode its bytes with errors='replace' first"
        ) from None


def as_texts(texts: str | Iterable[str]) -> Iterator[str]:
    """The texts one by one, checked; a single string is one text."""
    for text in [texts] if isinstance(texts, str) else texts:
        check_text(text)
        yield text


def decode_utf8(data: bytes) -> str:
    """Bytes as text, or an InputError that says where they stop being UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8: only byte pairs encode any bytes"
        ) from None


def check_ids(ids: Iterable[int], vocab_size: int) -> list[int]:
    """The ids as a list of ints, none of them outside the vocabulary."""
    try:
        ids = [*map(index, ids)]
    except TypeError:
        raise InputError("token ids must be a sequence of whole numbers") from None
    if ids and not 0 <= min(ids) <= max(ids) < vocab_size:
        wrong = next(id for id in ids if not 0 <= id < vocab_size)
        raise InputError(
            f"token id {wrong} is out of range: the vocabulary has ids 0 to {vocab_size - 1}"
        )
    return ids


def check_room(vocab_size: int | None, distinct: int, special: int) -> int:
    """How many of `distinct` entries fit beside the special tokens; all by default."""
    if distinct == 0:
        raise InputError("the training text is empty: a tokenizer needs text to learn from")
    room = distinct if vocab_size is None else vocab_size - special
    if not 1 <= room <= distinct:
        raise InputError(
            f"a vocabulary of {vocab_size} is out of reach: this text gives from {1 + special} "
            f"to {distinct + special} entries, special tokens counted"
        )
    return room
