"""A directory's tokenizer, and whether it fits the model."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import read_bytes, read_json, shell_quote
from npgpt.text import load_tokenizer
from npgpt.text.tokenizers.gpt2_files import is_gpt2


def read_tokenizer(path: Path, config: Any, exactly: bool = False) -> Any:
    """The directory's tokenizer, or None; one that does not fit, as `check_tokenizer`
    asks, is an InputError."""
    file = path / "tokenizer.json"
    if not file.exists():
        if not is_gpt2(path):
            return None
        file = path / "vocab.json"
    tokenizer = load_tokenizer(path)
    check_tokenizer(tokenizer, config, str(file), exactly)
    return tokenizer


def read_chat_template(path: Path) -> tuple[str, dict[str, Any]]:
    """A directory's chat template, and what tokenizer_config.json says of its special
    tokens. InputError where it has none: then the model was not trained to chat."""
    template, about = find_chat_template(path)
    if template is None:
        raise InputError(f"{path} has no chat template, so it was not trained to answer:"
                         f" npgpt sample {shell_quote(str(path))} lets it continue a text")
    return template, about


def find_chat_template(path: Path) -> tuple[str | None, dict[str, Any]]:
    """As `read_chat_template`, with None where there is no template."""
    file, about = path / "chat_template.jinja", {}
    if (path / "tokenizer_config.json").exists():
        about = read_json(path / "tokenizer_config.json")
    template = about.get("chat_template")
    if isinstance(template, list):  # several, by name
        named = {each.get("name"): each.get("template") for each in template}
        template = named.get("default")
    if file.exists():
        template = read_bytes(file).decode("utf-8", errors="replace")
    return (template if isinstance(template, str) else None), about


def check_tokenizer(tokenizer: Any, config: Any, name: str, exactly: bool = False) -> None:
    """Raise InputError unless the model has a row for each token that text can give.

    It may have more, which pad its tables, and special tokens may lie beyond them.
    exactly: it has as many rows as there are tokens, as a run of ours has.
    """
    V, tokens = config.vocab_size, tokenizer.vocab_size
    special = sum(id >= V for name, id in tokenizer.special_ids.items()
                  if name not in getattr(tokenizer, "added", ()))
    if tokens == V or (not exactly and tokens - special <= V):
        return
    raise InputError(f"{name} has {tokens} tokens, but the model's vocabulary has {V}:"
                     " give the tokenizer that belongs to it")
