"""The tokens with which a model ends its texts, as `transformers` finds them."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.files import read_json


def end_ids(path: Path, config: Any, family: Any) -> tuple[int, ...]:
    """The eos_token_id, one or several, of generation_config.json, where there is that file,
    else of config.json or what the family means by leaving it out; those that the model has
    no row for are never drawn, and left out. InputError where they are no whole numbers."""
    file = path / "generation_config.json"
    if file.exists():
        found = read_json(file).get("eos_token_id")
    else:
        file = path / "config.json"
        found = read_json(file).get("eos_token_id", family.FILES.get("end_id"))
    ids = found if isinstance(found, list) else [] if found is None else [found]
    if not all(isinstance(id, int) and not isinstance(id, bool) for id in ids):
        raise InputError(f"{file}: eos_token_id is {quote(found)}; give a whole number or a list")
    return tuple(id for id in ids if 0 <= id < config.vocab_size)


def end_fields(tokenizer: Any, about: dict[str, Any], family: Any) -> dict[str, int]:
    """What config.json says of the end token that tokenizer_config.json names (`about`)."""
    token = about.get("eos_token")
    if token is None or "eos_token_id" not in family.FILES.get("written", {}):
        return {}
    return {"eos_token_id": tokenizer.special_ids[token]}
