"""A file from the network, checked by its SHA-256 and stored in a cache."""

import hashlib
import http.client
import os
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from npgpt.errors import InputError
from npgpt.files import written_aside


@dataclass(frozen=True)
class Remote:
    url: str
    sha256: str
    licence: str


REMOTE = {
    "tinyshakespeare": Remote(  # 1,115,394 bytes
        "https://raw.githubusercontent.com/karpathy/char-rnn/"
        "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "public domain",
    ),
    "enwik8": Remote(  # 100,000,000 bytes of Wikipedia's XML, zipped
        "https://mattmahoney.net/dc/enwik8.zip",
        "547994d9980ebed1288380d652999f38a14fe291a6247c157c3d33d4932534bc",
        "CC-BY-SA-3.0, GFDL",
    ),
}


def cache_directory() -> Path:
    """`NPGPT_CACHE`, or npgpt in the user's cache directory."""
    given = os.environ.get("NPGPT_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "npgpt"


def fetch(url: str, sha256: str) -> Path:
    """The file at a URL; of a zip archive, its first file.

    Without a network only what is in the cache is found. A file with another
    checksum is thrown away.
    """
    sha256 = sha256.lower()
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise InputError(f"{sha256!r} is not a SHA-256: it has 64 hexadecimal digits")
    name = os.path.basename(urllib.parse.urlsplit(url).path) or "file"
    folder = cache_directory().expanduser() / sha256[:16]
    path = folder / name
    if not (path.exists() and _sha256(path) == sha256):
        folder.mkdir(parents=True, exist_ok=True)
        _download(url, sha256, path)
    if path.suffix != ".zip":
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.infolist()[0]
            unpacked = folder / os.path.basename(member.filename)
            if not (unpacked.exists() and unpacked.stat().st_size == member.file_size):
                with archive.open(member) as file:
                    _write(unpacked, file)
        return unpacked
    except (zipfile.BadZipFile, IndexError):
        raise InputError(f"{url} is not a zip archive with a file in it") from None


def _download(url: str, sha256: str, path: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "npgpt"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            _write(path, answer, sha256)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"cannot fetch {url}: {reason}; python-docs and stories need no network"
        ) from None


def _write(path: Path, source, sha256: str = "") -> None:
    """Copy what `source` reads to a file; nothing stays where its checksum is wrong."""
    with written_aside(path) as aside, open(aside, "xb") as file:
        digest = hashlib.sha256()
        while data := source.read(1 << 20):
            file.write(data)
            digest.update(data)
        found = digest.hexdigest()
        if sha256 and found != sha256:
            raise InputError(
                f"wrong checksum: {path.name} has SHA-256 {found}, expected {sha256}; nothing kept"
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
