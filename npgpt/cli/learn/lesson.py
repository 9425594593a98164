"""What the lessons have in common: where they write, and what they say of it."""

import json
from pathlib import Path
from typing import Annotated, Any

from npgpt.cli.options import option
from npgpt.cli.output import for_json, free_directory, print_json
from npgpt.errors import InputError
from npgpt.files import write_atomically

Out = Annotated[Path | None, option(
    "--out", "A new directory for picture and figures.", "DIR", "runs/NAME-1, -2, …")]
Seed = Annotated[int, option("--seed", "Random seed.", default=1)]


def lesson_directory(out: Path | None, name: str) -> Path:
    """The directory to write to, made here; nothing of anyone's is in it. Call it before
    the work."""
    directory = out or free_directory(name)
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise InputError(f"{directory} is there already: give --out a new name")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def finish(found: dict[str, Any], directory: Path, name: str, as_json: bool) -> None:
    """Write the figures; say where they and the picture are."""
    figures = json.dumps(for_json(found), ensure_ascii=False, indent=1)
    write_atomically(directory / f"{name}.json", figures + "\n")
    picture = directory / f"{name}.png"
    if as_json:
        print_json({**found, "picture": str(picture)})
    else:
        print(f"The picture is {picture}; all figures are in {directory / name}.json.")
