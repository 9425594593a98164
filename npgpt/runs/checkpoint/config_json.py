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
    files = files_of(family, type_of(config, family))
    found = {"architectures": files.get("architectures", []), "model_type": files["model_type"]}
    found |= {theirs: getattr(config, ours) for ours, theirs in field_names(family).items()}
    found |= {theirs: getattr(config, ours) for theirs, ours in files.get("derived", {}).items()}
    return found | files.get("written", {})


def field_names(family: Any) -> dict[str, str]:
    """Our field -> config.json's."""
    return (family.FILES.get("fields")
            or {field.name: field.name for field in fields(family.Config)})


def type_of(config: Any, family: Any) -> str:
    """The model_type that says all that the config says."""
    variants = family.FILES.get("variants")
    if variants is None:
        return family.FILES["model_type"]
    for kind, variant in variants.items():
        if all(getattr(config, name) == value for name, value in variant["has"].items()):
            return kind
    given = [name for name in next(iter(variants.values()))["has"] if getattr(config, name)]
    raise InputError(f"no model_type of {', '.join(variants)} has {' and '.join(given)} together:"
                     " such a model cannot be saved")


def files_of(family: Any, kind: str) -> dict:
    """The family's FILES, as they are for one model_type."""
    variant = family.FILES.get("variants", {}).get(kind, {})
    merged = {name: {**family.FILES.get(name, {}), **variant.get(name, {})}
              for name in ("defaults", "known")}
    return {**family.FILES, **variant, **merged, "model_type": kind}


def read_config(path: str | Path, family: Any = None) -> Any:
    """The Config in a directory's config.json; what we cannot compute is an InputError."""
    file = Path(path) / "config.json"
    if not file.exists():
        raise InputError(f"{path} holds no checkpoint: there is no config.json in it")
    found, family = read_json(file), family or family_in(path)
    kinds = tuple(family.FILES.get("variants", [family.FILES["model_type"]]))
    check_known(file, {"model_type": kinds, "quantization_config": (None,)}, found)
    files = files_of(family, found.get("model_type", kinds[0]))
    found = flattened(found, files.get("nested", ()))
    found |= {theirs: found[also] for theirs, also in files.get("also", {}).items()
              if also in found}
    check_known(file, files["known"], found)
    names, defaults = field_names(family), files["defaults"]
    missing = [theirs for ours, theirs in names.items()
               if theirs not in found and ours not in defaults]
    if missing:
        raise InputError(f"{file} does not describe a {files['model_type']} model:"
                         f" it lacks {first_few(missing)}")
    given = {ours: found.get(theirs, defaults.get(ours)) for ours, theirs in names.items()}
    given |= {name: bool(given[name]) for name, value in defaults.items()
              if isinstance(value, bool)}
    try:
        config = family.Config(**given, **files.get("has", {}))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    for theirs, ours in files.get("derived", {}).items():
        if found.get(theirs) not in (None, getattr(config, ours)):
            raise InputError(f"{file}: {theirs} is {quote(found[theirs])}; only"
                             f" {getattr(config, ours)}, our {ours}, is known here")
    return config


def check_known(file: Path, known: dict[str, tuple], found: dict) -> None:
    """Raise InputError for a field of another value; the first is that of a field left out.
    A list, which has a value for each layer, counts as that value where all are the same."""
    for name, allowed in known.items():
        value = found.get(name, allowed[0])
        if isinstance(value, list) and value and all(one == value[0] for one in value):
            value = value[0]
        if value not in allowed:
            raise InputError(f"{file}: {name} is {quote(value)}; only {allowed[0]!r} is known here")


def flattened(found: dict, nested: tuple[str, ...]) -> dict:
    """The fields, those of some objects among them as "object.field"."""
    flat: dict = {}
    for name, value in found.items():
        inner = value if name in nested and isinstance(value, dict) else None
        flat |= {name: value} if inner is None else {
            f"{name}.{key}": part for key, part in inner.items()}
    return flat
