"""Where portions lie while `npgpt prepare` is under way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.text.prepared import Settings


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
