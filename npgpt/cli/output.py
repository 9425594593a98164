"""What a command prints, and the files that it writes."""

import json
import math
import os
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from npgpt.errors import InputError


def print_json(value: dict) -> None:
    print(json.dumps(for_json(value), ensure_ascii=False, allow_nan=False))


def clean_stdout(as_json: bool):
    """What others print meanwhile goes to stderr where stdout is to hold one object."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def for_json(value: Any) -> Any:
    """The same, with None where a number is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {name: for_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(part) for part in value]
    if hasattr(value, "item"):  # NumPy's
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_file(file: Path | None, suffix: str) -> None:
    """InputError unless a file of this kind can be written there: said before the
    work, and a slip must not cost another file."""
    if file is None:
        return
    if file.is_dir():
        raise InputError(f"{file} is a directory; give a file, such as {file / f'name{suffix}'}")
    if file.suffix.lower() != suffix:
        raise InputError(f"{file} does not end in {suffix}: give a name that does")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no directory {file.parent}; make it first")
    if not os.access(file.parent, os.W_OK):
        raise InputError(f"{file}: {file.parent} may not be written to")


def free_directory(name: str) -> Path:
    """runs/NAME-1, or the first number that is not taken."""
    number = 1
    while Path("runs", f"{name}-{number}").exists():
        number += 1
    return Path("runs", f"{name}-{number}")
