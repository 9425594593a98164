"""Whose model it is: config.json's model_type, and the family it names."""

from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.families import BY_TYPE
from npgpt.files import read_json


def family_of(config: Any) -> Any:
    """The family among ours that a config is of."""
    found = [family for family in BY_TYPE.values() if isinstance(config, family.Config)]
    if not found:
        raise InputError(f"{type(config).__module__} is no family known here: name it, family=...")
    return found[0]


def family_in(path: str | Path, by_type: dict[str, Any] = BY_TYPE) -> Any:
    """The family, or model, of those that a directory's config.json names; GPT-2's
    where it names none."""
    file = Path(path) / "config.json"
    kind = read_json(file).get("model_type", "gpt2")
    if not isinstance(kind, str) or kind not in by_type:
        known = " and ".join(map(repr, by_type))
        raise InputError(f"{file}: model_type is {quote(kind)}; only {known} is known here")
    return by_type[kind]
