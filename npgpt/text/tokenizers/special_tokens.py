"""Special tokens: names such as <|endoftext|> that stand for one id.

Text is text: a name found in it becomes its id only where the caller
allows that name. So a user who types <|endoftext|> ends nothing.
"""

import re
from collections.abc import Iterable, Iterator

from npgpt.errors import InputError, quote
from npgpt.text.tokenizers.checks import check_text

END_OF_TEXT = "<|endoftext|>"
ENDS = (END_OF_TEXT, "<eos>")  # what a tokenizer may call the token that ends a document


def end_id(special_ids: dict[str, int]) -> int:
    """The id that ends a document. InputError where the tokenizer has none."""
    for name in ENDS:
        if name in special_ids:
            return special_ids[name]
    raise InputError(
        f"the tokenizer has no {END_OF_TEXT}, so nothing can end a document: leave out "
        "--end-of-text, or give a tokenizer that was trained with it"
    )


def check_special_tokens(names: str | Iterable[str]) -> list[str]:
    """The names as a list; refuses an empty, repeated or unencodable one."""
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        check_text(name)
        if not name or names.count(name) > 1:
            raise InputError(
                f"special token {quote(name)} is empty or given twice: give each name once")
    return names


def names_to_find(
    allowed: str | Iterable[str], special_ids: dict[str, int], always: Iterable[str] = ()
) -> list[str]:
    """The names to look for in a text, the longest first: those that are `allowed` (a list,
    or "all"), and those that `always` are. InputError for one that has no id.
    """
    if isinstance(allowed, str):
        allowed = special_ids if allowed == "all" else [allowed]
    names = sorted({*allowed, *always}, key=len, reverse=True)
    for name in names:
        if name not in special_ids:
            known = ", ".join(special_ids) or "none"
            raise InputError(f"unknown special token {quote(name)}: this tokenizer has {known}")
    return names


def split_special(
    text: str, allowed: str | Iterable[str], special_ids: dict[str, int]
) -> Iterator[tuple[str, int | None]]:
    """Yield (piece, None) for text and (name, id) for each allowed special token.

    `allowed` is a list of names, or "all". Where several names match, the longest wins.
    """
    names = names_to_find(allowed, special_ids)
    if not names:
        yield text, None
        return
    pattern = re.compile("(" + "|".join(map(re.escape, names)) + ")")
    for n, piece in enumerate(pattern.split(text)):
        if n % 2:
            yield piece, special_ids[piece]
        elif piece:
            yield piece, None
