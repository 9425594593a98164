"""Read any tokenizer.json of a kind that this package has."""

import json
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.text import characters
from npgpt.text.characters import CharacterTokenizer

Tokenizer = CharacterTokenizer


def load_tokenizer(file: str | Path) -> Tokenizer:
    """Read a tokenizer.json (or the one in a directory), ours or one that the
    `tokenizers` library wrote: characters, words, or byte-level pairs."""
    path = Path(file)
    if path.is_dir():
        path = path / "tokenizer.json"
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): it may be cut off") from error
    try:
        return _read(whole)
    except _Unreadable as error:
        raise InputError(f"{path}: {error}") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is not a tokenizer.json: {error!r}") from None


class _Unreadable(Exception):
    pass


def _read(whole: dict[str, Any]) -> Tokenizer:
    model = whole["model"]
    special_ids = _special_ids(whole["added_tokens"])
    for part in ("normalizer", "truncation", "padding"):
        if whole.get(part) is not None:
            raise _Unreadable(f"a tokenizer with a {part} is of a kind that is not read here")
    if model["type"] == "WordLevel":
        return _read_word_level(whole, special_ids)
    raise _Unreadable(
        f"its model is {model['type']}: the kinds read here are WordLevel (characters, words) "
        "and byte-level BPE"
    )


def _read_word_level(whole: dict[str, Any], special_ids: dict[str, int]) -> Tokenizer:
    tokens = _in_order({**whole["model"]["vocab"], **special_ids})
    pre_tokenizer, decoder = whole["pre_tokenizer"] or {}, whole["decoder"] or {}
    pattern = pre_tokenizer.get("pattern", {}).get("Regex")
    expected = {"type": "Split", "pattern": {"Regex": pattern},
                "behavior": "Isolated", "invert": False}
    if pre_tokenizer != expected or decoder.get("type") != "Fuse" or whole["post_processor"]:
        raise _Unreadable("its WordLevel model does not split as our characters and words do")
    plain, names = tokens[: len(tokens) - len(special_ids)], tokens[len(tokens) - len(special_ids):]
    if pattern == characters.PATTERN and names == sorted(special_ids, key=special_ids.__getitem__):
        return CharacterTokenizer(plain, names)
    raise _Unreadable(f"its WordLevel model splits by {pattern!r}, which is not read here")


def _special_ids(added_tokens: list[dict[str, Any]]) -> dict[str, int]:
    for token in added_tokens:
        if not token["special"] or token["lstrip"] or token["rstrip"] or token["single_word"]:
            raise _Unreadable(
                f"added token {token['content']!r} is matched in ways that are not read here"
            )
    return {token["content"]: token["id"] for token in added_tokens}


def _in_order(ids: dict[str, int]) -> list[str]:
    if sorted(ids.values()) != list(range(len(ids))):
        raise _Unreadable(f"its {len(ids)} ids are not 0 to {len(ids) - 1}, each once")
    return sorted(ids, key=ids.__getitem__)
