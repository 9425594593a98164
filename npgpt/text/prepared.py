"""A prepared directory: what it was made with, and how it is opened."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.text.clean import Form
from npgpt.text.filter import Limits
from npgpt.text.token_files import open_tokens
from npgpt.text.tokenizers import Tokenizer, load_tokenizer

FORMAT = "npgpt prepared text, 1"
FILES = ("tokenizer.json", "train.tokens", "validation.tokens")


@dataclass(frozen=True)
class Settings:
    """Everything that the prepared bytes depend on, but for the source's own."""

    source: str
    tokenizer: str = "characters"
    form: Form = "NFC"
    limits: Limits = field(default_factory=Limits)
    near: float = 0.8
    mask: bool = True
    validation: float = 0.1
    chunk: int = 1000
    overlap: int = 100
    seed: int = 0
    licence: str = ""
    sha256: str = ""


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
        parts = [self.manifest["files"][name]["sha256"]
                 for name in ("train.jsonl", "validation.jsonl")]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def validation_bytes(self) -> int:
        """Of its text in UTF-8, what stands between documents included, as in its ids."""
        return int(self.manifest["validation"]["bytes"])


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
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise InputError(f"{directory} is of another format: {manifest['format']!r}")
        for name in FILES:
            check_file(directory, manifest, name)
        prepared = Prepared(
            directory,
            manifest,
            load_tokenizer(directory / "tokenizer.json"),
            open_tokens(directory / "train.tokens"),
            open_tokens(directory / "validation.tokens"),
        )
        for asked_later in ("licence", "source", "sha256", "validation_bytes"):
            getattr(prepared, asked_later)
        return prepared
    except OSError as error:
        missing = error.filename or directory
        raise InputError(
            f"{directory} is not a prepared directory, or not ready: {missing}: {error.strerror}; "
            "run npgpt prepare"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{directory / 'manifest.json'} is damaged: {error!r}") from None


def check_file(directory: Path, manifest: dict[str, Any], name: str) -> None:
    """InputError where a file is not the one that was prepared."""
    with (directory / name).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != manifest["files"][name]["sha256"]:
        raise InputError(f"{directory / name} has changed since it was prepared")
