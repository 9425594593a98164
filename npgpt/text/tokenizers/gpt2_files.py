"""GPT-2's tokenizer in the files before tokenizer.json: vocab.json, merges.txt and,
for tokens that were added, tokenizer_config.json or added_tokens.json."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.files import read_json
from npgpt.text.tokenizers.added_tokens import read_added
from npgpt.text.tokenizers.byte_pairs import BytePairTokenizer


def is_gpt2(directory: Path) -> bool:
    return all((directory / name).exists() for name in ("vocab.json", "merges.txt"))


def load_gpt2_files(directory: Path) -> BytePairTokenizer:
    """The tokenizer of these files. InputError for what would give other ids."""
    about = read_if_there(directory / "tokenizer_config.json")
    for option in ("add_prefix_space", "add_bos_token"):
        if about.get(option):
            raise InputError(f"{directory / 'tokenizer_config.json'}: {option} adds to every"
                             " text, which is not done here")
    try:
        more, added = read_added(listed(directory, about))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise InputError(f"cannot use {directory}: {error}") from None
        raise InputError(f"{directory}: the added tokens are not as transformers writes"
                         f" them: {quote(error)}") from None
    return BytePairTokenizer.from_gpt2(
        directory / "merges.txt", directory / "vocab.json", more, added)


def read_if_there(file: Path) -> dict[str, Any]:
    return read_json(file) if file.exists() else {}


def listed(directory: Path, about: dict[str, Any]) -> list[dict[str, Any]]:
    """The added tokens as tokenizer.json lists them: with what tokenizer_config.json
    (`about`) says of each, or else from added_tokens.json, special where a role such as
    pad_token has it."""
    if "added_tokens_decoder" in about:
        return [{**token, "id": int(id)} for id, token in about["added_tokens_decoder"].items()]
    roles = {**read_if_there(directory / "special_tokens_map.json"), **about}
    special = {name for role, value in roles.items() for name in names_in(value)
               if role.endswith(("_token", "_tokens"))}
    return [{"content": name, "id": id, "special": name in special}
            for name, id in read_if_there(directory / "added_tokens.json").items()]


def names_in(value: Any) -> list[str]:
    """The tokens of a role: a name, a token with its content, or a list of either."""
    if isinstance(value, list):
        return [name for each in value for name in names_in(each)]
    name = value.get("content") if isinstance(value, dict) else value
    return [name] if isinstance(name, str) else []
