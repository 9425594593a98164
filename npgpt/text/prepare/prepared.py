"""A prepared directory: what it was made with, and how it is opened."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.text.prepare.token_files import open_tokens
from npgpt.text.tokenizers.loading import Tokenizer, load_tokenizer

FORMAT = "npgpt prepared text, 1"
FILES = ("tokenizer.json", "train.tokens", "validation.tokens")
TEXTS = ("train.jsonl", "validation.jsonl")


@dataclass(frozen=True)
class Prepared:
    """A prepared directory: its manifest, its tokenizer, and ids as memory maps."""

    directory: Path
    manifest: dict[str, Any]
    tokenizer: Tokenizer
    train: np.ndarray
    validation: np.ndarray

    @property
    def name(self) -> str:
        return str(self.directory)

    @property
    def licence(self) -> str:
        return self.manifest["licence"]

    @property
    def source(self) -> str:
        return self.manifest["origin"]

    @property
    def sha256(self) -> str:
        """Of both parts' texts, as the manifest names them: the files are not read."""
        parts = [self.manifest["files"][name]["sha256"] for name in TEXTS]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def validation_bytes(self) -> int:
        """Of its text in UTF-8, what stands between documents included, as in its ids."""
        return self.manifest["validation"]["bytes"]


def is_prepared(path: str | Path) -> bool:
    """Whether `prepare` wrote it, whole or not by now; any directory may have a
    manifest.json."""
    manifest = Path(path) / "manifest.json"
    if not manifest.is_file():
        return False
    with manifest.open("rb") as file:
        head = file.read(200)  # "format" is its first field
    return FORMAT.rpartition(",")[0].encode() in head or any(Path(path).glob("*.tokens"))


def open_prepared(directory: str | Path) -> Prepared:
    """What `prepare` wrote, its SHA-256 checked; anything missing or changed is an InputError."""
    directory = Path(directory)
    try:
        manifest = read_manifest(directory)
        for name in FILES:
            check_file(directory, manifest, name)
        return Prepared(
            directory,
            manifest,
            load_tokenizer(directory / "tokenizer.json"),
            open_tokens(directory / "train.tokens"),
            open_tokens(directory / "validation.tokens"),
        )
    except OSError as error:
        missing = error.filename or directory
        raise InputError(
            f"{directory} is not a prepared directory, or not ready: {missing}: {error.strerror}; "
            "run npgpt prepare"
        ) from None


def read_manifest(directory: Path) -> dict[str, Any]:
    """manifest.json, every field that is read later checked: the one strict reader of it."""
    path = directory / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise InputError(f"{directory} is of another format: {manifest['format']!r}")
        for name in ("licence", "origin", "input"):
            _expect(isinstance(manifest[name], str), name, manifest[name])
        for name in (*FILES, *TEXTS):
            sha256 = manifest["files"][name]["sha256"]
            _expect(re.fullmatch("[0-9a-f]{64}", sha256), f"the SHA-256 of {name}", sha256)
        size = manifest["validation"]["bytes"]
        _expect(type(size) is int and size > 0, "the bytes of validation", size)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged: {error!r}") from None
    return manifest


def _expect(right: object, what: str, found: object) -> None:
    if not right:
        raise ValueError(f"{what}: {found!r}")


def check_file(directory: Path, manifest: dict[str, Any], name: str) -> None:
    """InputError where a file is not the one that was prepared."""
    with (directory / name).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != manifest["files"][name]["sha256"]:
        raise InputError(f"{directory / name} has changed since it was prepared")
