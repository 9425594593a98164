"""config.json: a model's sizes, in the fields that `transformers` gives them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.files import read_json
from npgpt.runs.checkpoint.by_type import family_in
from npgpt.runs.checkpoint.listed import first_few


def config_fields(config: Any, family: Any) -> dict:
    """The fields by which `transformers` builds the same model."""
    files = family.FILES
    found = {"architectures": files.get("architectures", []), "model_type": files["model_type"]}
    found |= {theirs: getattr(config, ours) for ours, theirs in field_names(family).items()}
    found |= {theirs: getattr(config, ours) for theirs, ours in files.get("derived", {}).items()}
    return found | files.get("written", {})


def field_names(family: Any) -> dict[str, str]:
    """Our field -> config.json's."""
    return (family.FILES.get("fields")
            or {field.name: field.name for field in fields(family.Config)})


def read_config(path: str | Path, family: Any = None) -> Any:
    """The Config in a directory's config.json; what we cannot compute is an InputError."""
    file = Path(path) / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no checkpoint: there is no config.json in it")
    found, family = read_json(file), family or family_in(path)
    files = family.FILES
    found |= {theirs: found[also] for theirs, also in files.get("also", {}).items()
              if also in found}
    known = {"model_type": (files["model_type"],), "quantization_config": (None,),
             **files.get("known", {})}
    for name, allowed in known.items():
        value = found.get(name, allowed[0])
        if value not in allowed:
            raise InputError(f"{file}: {name} is {quote(value)}; only {allowed[0]!r} is known here")
    names, defaults = field_names(family), files.get("defaults", {})
    missing = [theirs for ours, theirs in names.items()
               if theirs not in found and ours not in defaults]
    if missing:
        raise InputError(f"{file} does not describe a {files['model_type']} model:"
                         f" it lacks {first_few(missing)}")
    given = {ours: found.get(theirs, defaults.get(ours)) for ours, theirs in names.items()}
    given |= {name: bool(given[name]) for name, value in defaults.items() if value is True}
    try:
        config = family.Config(**given)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    for theirs, ours in files.get("derived", {}).items():
        if found.get(theirs) not in (None, getattr(config, ours)):
            raise InputError(f"{file}: {theirs} is {quote(found[theirs])}; only"
                             f" {getattr(config, ours)}, our {ours}, is known here")
    return config
