"""Where a model's directory is: a path, what `npgpt fetch` keeps, or the cache of
`transformers`."""

import os
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import shell_quote
from npgpt.runs.fetch.models import MODELS, cached


def find_directory(path: str | Path) -> Path:
    """The directory with config.json: `path`, a model that has been fetched, such as
    smollm2, or the snapshot that `transformers` has downloaded of a model of this name,
    such as openai-community/gpt2."""
    name, path = str(path), Path(path)
    if name in MODELS and not path.exists():
        if found := cached(name):
            return found
        raise InputError(f"{name} has not been fetched yet: npgpt fetch {name}")
    if not path.exists():
        path = next((folder for folder in hub_folders(name) if folder.is_dir()), path)
    if not path.exists():
        raise InputError(
            f"there is no checkpoint at {path}, and no model of this name in {hub_cache()}"
        )
    if path.is_file():
        raise InputError(f"{path} is a file; give the directory that holds it and its config.json")
    main = path / "refs" / "main"
    if main.is_file() and (path / "snapshots").is_dir():
        path = path / "snapshots" / Path(main.read_text().strip()).name
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        raise adapter_alone(path)
    if not (path / "config.json").is_file():
        raise InputError(f"{path} holds no checkpoint: there is no config.json in it")
    return path


def adapter_alone(path: Path) -> InputError:
    return InputError(f"{path} holds a LoRA adapter, not a model: give its model to sample or"
                      f" chat, with --adapter {shell_quote(path)}, or add it to its model with"
                      " npgpt adapter merge")


def hub_cache() -> Path:
    """Where `transformers` keeps what it has downloaded."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()


def hub_folders(name: str) -> list[Path]:
    """The folders in which it would keep this model; "gpt2" is short for OpenAI's."""
    names = [name] if "/" in name else [name, f"openai-community/{name}"]
    return [hub_cache() / f"models--{each.replace('/', '--')}" for each in names]
