"""The files that carry a tokenizer: tokenizer.json, as the `tokenizers`
library writes it, and tokenizer_config.json, which `transformers` wants beside it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import write_atomically

# which of transformers' roles a special token's name plays
_ROLES = {
    "unk_token": ("<unk>",),
    "pad_token": ("<pad>",),
    "bos_token": ("<bos>", "<|endoftext|>"),
    "eos_token": ("<eos>", "<|endoftext|>"),
}


def write_json(
    model: dict[str, Any],
    pre_tokenizer: dict[str, Any],
    decoder: dict[str, Any],
    special_ids: dict[str, int],
    added: Iterable[str] = (),
    normalizer: dict[str, Any] | None = None,
    post_processor: dict[str, Any] | None = None,
) -> str:
    """The text of a tokenizer.json; equal tokenizers give equal bytes. `added`: those
    of the special tokens that are found in any text."""
    always = {*added}
    tokens = [
        {"id": id, "content": name, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": name not in always}
        for name, id in special_ids.items()
    ]
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens,
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": decoder, "model": model,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def word_level_json(tokens: list[str], pattern: str, special_ids: dict[str, int]) -> str:
    """A tokenizer.json whose pieces are looked up whole: characters, words."""
    vocabulary = {token: id for id, token in enumerate(tokens)}
    return write_json(
        {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False},
        {"type": "Fuse"},
        special_ids,
    )


def save_text(file: str | Path, text: str) -> None:
    """Write a whole file or none; a failure of the disk is an InputError."""
    try:
        write_atomically(file, text)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error


def tokenizer_config(tokenizer: Any, context_length: int | None = None) -> dict[str, Any]:
    """What tokenizer_config.json says, for `AutoTokenizer.from_pretrained`.

    Without it older releases of transformers remove spaces before punctuation.
    """
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
    }
    for role, names in _ROLES.items():
        for name in names:
            if name in tokenizer.special_ids:
                config[role] = name
                break
    if context_length is not None:
        config["model_max_length"] = context_length
    return config
