"""Read any tokenizer.json of a kind that this package has."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.files import parse_json, read_bytes
from npgpt.text.tokenizers import characters, words
from npgpt.text.tokenizers.added_tokens import read_added
from npgpt.text.tokenizers.byte_level import read_before, read_cutting
from npgpt.text.tokenizers.byte_pairs import BytePairTokenizer
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.text.tokenizers.gpt2_files import is_gpt2, load_gpt2_files
from npgpt.text.tokenizers.words import WordTokenizer

Tokenizer = CharacterTokenizer | WordTokenizer | BytePairTokenizer

BPE_SIZE = 4096  # vocabulary where "bpe" names none


def is_named(name: str) -> bool:
    """Whether a setting names a kind, characters, words, bpe or bpe:SIZE, not a
    file. InputError for a SIZE that cannot be."""
    if name.startswith("bpe:"):
        size = name[4:]
        if not re.fullmatch("[0-9]{1,9}", size) or int(size) < 257:
            raise InputError(
                f"a vocabulary of {size[:20]!r}: say for example bpe:4096, at least 257, at most "
                "9 digits"
            )
        return True
    return name in ("characters", "words", "bpe")


def train_named(name: str, texts: Iterable[str], special_tokens: Iterable[str] = ()) -> Tokenizer:
    """The tokenizer of a kind that `is_named`, trained on texts. Byte pairs have
    <|endoftext|> in any case."""
    if name == "characters":
        return CharacterTokenizer.train(texts, special_tokens=special_tokens)
    if name == "words":
        return WordTokenizer.train(texts, special_tokens=special_tokens)
    return BytePairTokenizer.train(texts, int(name[4:]) if ":" in name else BPE_SIZE)


def load_tokenizer(file: str | Path) -> Tokenizer:
    """Read a tokenizer.json, ours or one that the `tokenizers` library wrote: characters,
    words, or GPT-2's byte pairs. Of a directory, its tokenizer.json, or GPT-2's vocab.json
    and merges.txt. InputError for other kinds."""
    path = Path(file)
    if path.is_dir():
        path = path / "tokenizer.json"
        if not path.exists() and is_gpt2(path.parent):
            return load_gpt2_files(path.parent)
    try:
        data = read_bytes(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        whole = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is cut off or not JSON: {error}") from error
    try:
        return _read(whole)
    except InputError as error:
        raise InputError(f"cannot use {path}: {error}") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is not a tokenizer.json: {quote(error)}") from None


def _read(whole: dict[str, Any]) -> Tokenizer:
    """Padding and truncation are left alone: they change no id of a text that fits."""
    model, (special_ids, added) = whole["model"], read_added(whole["added_tokens"])
    before = read_before(whole)
    # files of before 2021 name no type
    kind = model.get("type", "BPE")
    if kind == "WordLevel":
        if whole["normalizer"] is not None or before:
            raise InputError("its words have a normalizer or tokens before the text, which is"
                             " not done here")
        if added:
            raise InputError(f"added token {quote(added[0])} is not a plain special token")
        return _read_word_level(whole, special_ids)
    if kind == "BPE":
        return _read_byte_pairs(whole, special_ids, added)
    raise InputError(
        f"its model is {str(kind)[:60]}; read here are WordLevel (characters, words)"
        " and byte-level BPE"
    )


def _read_word_level(whole: dict[str, Any], special_ids: dict[str, int]) -> Tokenizer:
    split, decoder = whole["pre_tokenizer"] or {}, whole["decoder"] or {}
    pattern = split.get("pattern", {}).get("Regex")
    cut = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    if split != cut or decoder.get("type") != "Fuse":
        raise InputError("its WordLevel model does not cut text as our characters and words do")
    ids = {**whole["model"]["vocab"], **special_ids}
    if sorted(ids.values()) != list(range(len(ids))):
        raise InputError(f"its {len(ids)} ids are not 0 to {len(ids) - 1}, each once")
    tokens, names = sorted(ids, key=ids.__getitem__), list(special_ids)
    plain = [token for token in tokens if token not in special_ids]
    if pattern == characters.PATTERN and tokens == plain + names:
        return CharacterTokenizer(plain, names)
    given = list(words.SPECIAL_TOKENS)
    if pattern == words.PATTERN and tokens == names + plain and names[: len(given)] == given:
        return WordTokenizer(plain, names[len(given):])
    raise InputError("its WordLevel model is not one of our characters or words")


def _read_byte_pairs(
    whole: dict[str, Any], special_ids: dict[str, int], added: list[str]
) -> BytePairTokenizer:
    model, decoder = whole["model"], whole["decoder"] or {}
    cutting, before = read_cutting(whole), read_before(whole)
    if decoder.get("type") != "ByteLevel":
        raise InputError("it decodes otherwise than byte by byte")
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(option):
            raise InputError(f"its BPE has {option}, which is not read here")
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return BytePairTokenizer.from_spelt(
        model["vocab"], merges, special_ids, added, cutting,
        bool(model.get("ignore_merges")), before)
