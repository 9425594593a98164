"""A run's directory, created whole: all that never changes in it."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import (
    errors_about,
    left_beside,
    name_beside,
    read_bytes,
    sync_directory,
    write_atomically,
)
from npgpt.runs.checkpoint.by_type import family_of
from npgpt.runs.checkpoint.config_json import config_fields
from npgpt.runs.checkpoint.end_tokens import end_fields
from npgpt.runs.checkpoint.listed import first_few
from npgpt.runs.checkpoint.tokenizer_files import check_tokenizer
from npgpt.text import tokenizer_config

# what never changes in a run, and what a training writes
STATIC = ("run.json", "config.json", "tokenizer.json", "tokenizer_config.json",
          "chat_template.jinja", "generation_config.json")
WRITTEN = ("adapter_config.json", "adapter_model.safetensors", "model.safetensors",
           "training.safetensors", "log.jsonl", "loss.png")


def create_run(
    path: str | Path, config: Any, tokenizer: Any = None, settings: dict | None = None,
    family: Any = None, files: dict[str, str] | None = None,
) -> None:
    """Make a run's directory, without weights yet; all of it appears at once. `files`: the
    text of others of STATIC, by name, that come along from the model it starts from.

    An empty directory that is there is filled, config.json last: it may be a
    link, a mount, or where the user stands. Raises InputError where `path` holds anything already.
    """
    path, family = Path(path), family or family_of(config)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give a directory")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{path.parent} is no directory; choose another place") from None
    there = path.is_dir()
    # one name for all who would fill an empty directory: only one gets it
    aside = path / ".new" if there else name_beside(path)
    with errors_about(path):
        try:
            os.mkdir(aside)
        except FileExistsError:
            raise taken(path) from None
        try:
            if there and list(path.iterdir()) != [aside]:
                raise taken(path)
            write_static(aside, config, tokenizer, settings, family, files or {})
            move_into(path, aside) if there else move_to(path, aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def taken(path: Path) -> InputError:
    return InputError(f"{path} holds another run or other files; choose another directory,"
                      " or continue that run with --resume")


def write_static(
    path: Path, config: Any, tokenizer: Any, settings: dict | None, family: Any,
    files: dict[str, str],
) -> None:
    """Write what never changes in a run."""
    if settings is not None:
        write_atomically(path / "run.json", json.dumps(settings, indent=2) + "\n")
    sizes = config_fields(config, family)
    if tokenizer is not None:
        check_tokenizer(tokenizer, config, "the tokenizer")
        tokenizer.save(path / "tokenizer.json")
        about = tokenizer_config(tokenizer, config.context_length)
        if "tokenizer_config.json" in files:
            about = json.loads(files["tokenizer_config.json"])
        write_atomically(path / "tokenizer_config.json", json.dumps(about, indent=2) + "\n")
        sizes |= end_fields(tokenizer, about, family)
    for name in ("chat_template.jinja", "generation_config.json"):
        if name in files:
            write_atomically(path / name, files[name])
    write_atomically(path / "config.json", json.dumps(sizes, indent=2) + "\n")


def move_into(path: Path, aside: Path) -> None:
    """The files one by one, into a directory that is there."""
    for file in sorted(aside.iterdir(), key=lambda file: file.name == "config.json"):
        os.replace(file, path / file.name)
    aside.rmdir()
    sync_directory(path)


def move_to(path: Path, aside: Path) -> None:
    """The whole directory, by one rename."""
    try:
        os.rename(aside, path)
    except OSError:
        if path.is_dir():  # another was quicker
            raise taken(path) from None
        raise
    sync_directory(path.parent)


def inherited_files(path: Path) -> dict[str, str]:
    """The files of a model that a run from its weights takes along: how it chats, and what
    tokens it ends with."""
    return {name: read_bytes(path / name).decode() for name in STATIC[3:]
            if (path / name).exists()}


def files_of(path: Path) -> list[str]:
    """The files of a run in training that only their writer may take away."""
    return [name for name in (*STATIC, "log.jsonl") if (path / name).exists()]


def check_files(path: Path, names: list[str]) -> None:
    """Raise InputError unless a run in training still has these files: saved without
    them, it could not be resumed."""
    lost = [name for name in names if not (path / name).exists()]
    if lost:
        what = f"has lost {first_few(lost)}" if path.is_dir() else "has been removed"
        raise InputError(f"{path} {what} while it was trained: nothing is saved there any"
                         " more; start a new run")


def clear_unstarted(path: Path, directory_stays: bool) -> None:
    """Remove a run that has no weights yet, so that its name is free again."""
    if any((path / name).exists() for name in (
            "model.safetensors", "adapter_model.safetensors", "best")):
        return
    for name in (*STATIC, "log.jsonl"):
        (path / name).unlink(missing_ok=True)
    if path.is_dir() and not directory_stays and not any(path.iterdir()):
        path.rmdir()


def clear_leftovers(path: Path) -> None:
    """Remove what writers that were killed have left of a run: files and directories
    set aside. Only for who has the run's lock."""
    for file in [leftover for name in WRITTEN for leftover in left_beside(path / name)]:
        file.unlink(missing_ok=True)
    for folder in left_beside(path.absolute()) + left_beside(path / "best"):
        if is_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)
    if (path / "best").is_dir():
        clear_leftovers(path / "best")


def is_ours(folder: Path) -> bool:
    """Whether it holds nothing but what `write_static` writes, whole or in part."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    partly = {file for name in STATIC for file in left_beside(folder / name)}
    return all(file.name in STATIC or file in partly for file in folder.iterdir())
