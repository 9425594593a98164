"""A directory's tokenizer, and whether it fits the model."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.text import BytePairTokenizer, load_tokenizer


def read_tokenizer(path: Path, config: Any) -> Any:
    """The directory's tokenizer, or None; one that does not fit is an InputError."""
    file = path / "tokenizer.json"
    if file.exists():
        tokenizer = load_tokenizer(file)
    elif (path / "merges.txt").exists() and (path / "vocab.json").exists():
        file = path / "vocab.json"
        tokenizer = BytePairTokenizer.from_gpt2(path / "merges.txt", file)
    else:
        return None
    check_tokenizer(tokenizer, config, str(file))
    return tokenizer


def check_tokenizer(tokenizer: Any, config: Any, name: str) -> None:
    if tokenizer.vocab_size != config.vocab_size:
        raise InputError(
            f"{name} has {tokenizer.vocab_size} tokens, but the model's vocabulary has"
            f" {config.vocab_size}: this is not the tokenizer that it was trained with"
        )
