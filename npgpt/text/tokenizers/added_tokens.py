"""Tokens that were added to a trained vocabulary, as the files of `transformers` list them."""

from collections.abc import Iterable
from typing import Any

from npgpt.errors import InputError, quote


def read_added(added_tokens: Iterable[dict[str, Any]]) -> tuple[dict[str, int], list[str]]:
    """name -> id of all of them, and the names of those that are not special: they are
    found in any text. InputError for one that takes in what stands beside it."""
    tokens = sorted(added_tokens, key=lambda token: token["id"])
    for token in tokens:
        beside = [way for way in ("lstrip", "rstrip", "single_word") if token.get(way)]
        if beside:
            raise InputError(
                f"added token {quote(token['content'])} is not a plain special token: it has"
                f" {beside[0]}, which is not read here")
    ids = {token["content"]: token["id"] for token in tokens}
    return ids, [token["content"] for token in tokens if not token["special"]]
