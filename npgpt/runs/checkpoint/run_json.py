"""run.json: how a run was started. Written once, at its birth."""

from pathlib import Path

from npgpt.errors import InputError, quote
from npgpt.files import read_json

# what run.json says of the trainer, and of what kind each is
BACKEND = {"torch": dict, "half": str, "compile": bool, "shared_dropout": bool}


def read_settings(path: str | Path) -> dict | None:
    """What a directory's run.json holds, or None where it has none."""
    file = Path(path) / "run.json"
    return read_json(file) if file.exists() else None


def read_backend(path: Path) -> dict:
    """By what a run is trained, {"half", "compile", "torch", "shared_dropout"}. Raises
    InputError for a value of another kind than a run writes."""
    about = read_settings(path) or {}
    found = {"half": "torch", "compile": False, "torch": {}, **about}
    if isinstance(found["torch"], dict):
        found["shared_dropout"] = found["torch"].get("shared_dropout", False)
    for name, kind in BACKEND.items():
        if type(found.get(name)) is not kind:
            raise InputError(f"{path / 'run.json'}: {name} is {quote(found.get(name))};"
                             " restore it from a copy")
    return {name: found[name] for name in BACKEND}


def trained_heads(run_json: dict | None) -> int | None:
    """The number of heads that a run was started with, where it says so."""
    settings = (run_json or {}).get("settings")
    return settings.get("heads") if isinstance(settings, dict) else None


def read_data(run_json: dict, file: Path) -> dict[str, str]:
    """What the run was trained on: {"name", "sha256", "ids_sha256", ...}. Raises
    InputError where run.json does not say so."""
    data = run_json.get("data")
    if not isinstance(data, dict) or not {"name", "sha256", "ids_sha256"} <= set(data):
        raise InputError(f"{file} does not say what it was trained on; restore it from a copy")
    return data
