"""What the lessons have in common: where they write, and what they say of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

from npgpt.cli.options import option
from npgpt.cli.output import for_json, free_directory, print_json
from npgpt.errors import InputError
from npgpt.files import write_atomically

Out = Annotated[Path | None, option(
    "--out", "A new directory for picture and figures.", "DIR", "runs/NAME-1, -2, …")]
Seed = Annotated[int, option("--seed", "Random seed.", default=1)]


@contextmanager
def lesson_directory(out: Path | None, name: str) -> Iterator[Path]:
    """The directory to write to, made before the work in this block; nothing of anyone's is in
    it. Work that fails or is stopped before it has written anything leaves none behind."""
    directory = out or free_directory(name)
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise InputError(f"{directory} is there already: give --out a new name")
    made = [each for each in (directory, *directory.parents) if not each.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield directory
    except BaseException:
        with suppress(OSError):  # one that is not empty stays
            for each in made:
                each.rmdir()
        raise


def finish(found: dict[str, Any], directory: Path, name: str, as_json: bool) -> None:
    """Write the figures; say where they and the picture are."""
    figures = json.dumps(for_json(found), ensure_ascii=False, indent=1)
    write_atomically(directory / f"{name}.json", figures + "\n")
    picture = directory / f"{name}.png"
    if as_json:
        print_json({**found, "picture": str(picture)})
    else:
        print(f"The picture is {picture}; all figures are in {directory / name}.json.")
