"""Where portions lie while `npgpt prepare` is under way."""

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import written_aside
from npgpt.text.prepare.settings import Settings

SIDES = ("train", "validation")
# of each cleaned document
TRAIN, VALIDATION, EXACT_DUPLICATE, NEAR_DUPLICATE = range(4)
DUPLICATES = {EXACT_DUPLICATE: "exact duplicate", NEAR_DUPLICATE: "near duplicate"}


class Work:
    """A directory under way: finished portions lie in its .work."""

    def __init__(self, out: Path, settings: Settings, about: str) -> None:
        self.out, self.settings, self.folder = out, settings, out / ".work"
        self.cleaned = self.folder / "cleaned"
        self.counts: list[int] = []  # documents in each cleaned portion
        self.about = about
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file; --out takes a directory")
        names = {path.name for path in out.iterdir()} if out.exists() else set()
        # with a manifest: another process has just finished it
        if names and not names & {".work", "manifest.json"}:
            raise InputError(f"{out} has other files in it; give another --out")
        self.cleaned.mkdir(parents=True, exist_ok=True)
        (self.folder / "lock").touch()

    def stage(self, input_digest: str) -> Path:
        """Where what depends on the whole input lies."""
        folder = self.folder / input_digest[:16]
        folder.mkdir(exist_ok=True)
        return folder

    def portions(self) -> Iterator[tuple[int, dict[str, Any], Any]]:
        """(number, about, arrays) of each cleaned portion."""
        for number in range(len(self.counts)):
            with np.load(self.cleaned / f"{number:06}.npz") as arrays:
                yield number, json.loads(arrays["about"].tobytes()), arrays

    def encoded(self, stage: Path) -> Iterator[dict[str, Any]]:
        """What each encoded portion tells of itself."""
        for portion in range(len(self.counts)):
            yield json.loads((stage / f"{portion:06}.json").read_bytes())

    def document(self, number: int) -> dict[str, Any]:
        """A cleaned document: its id, source, start and text."""
        for portion, count in enumerate(self.counts):
            if number < count:
                with (self.cleaned / f"{portion:06}.jsonl").open(encoding="utf-8") as lines:
                    return dict(json.loads(next(islice(lines, number, None))))
            number -= count
        raise IndexError(number)

    def verdicts(self, stage: Path) -> tuple[np.ndarray, np.ndarray]:
        """Of each cleaned document its verdict, and the number of the one it repeats, or -1."""
        with np.load(stage / "verdicts.npz") as arrays:
            return arrays["verdicts"], arrays["twins"]


def put(path: Path, data: bytes) -> None:
    """Write a file whole, in `.work`: it is checked by its digest, so it need not be flushed."""
    with written_aside(path, flush=False) as aside, open(aside, "xb") as file:
        file.write(data)


def digest_of(path: Path) -> str:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""


def is_readable(path: Path) -> bool:
    """Whether arrays are there, whole."""
    try:
        with np.load(path) as arrays:
            return all(arrays[name] is not None for name in arrays.files)
    except Exception:
        return False
