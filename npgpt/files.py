"""Files that are never half-written, directories that have one writer."""

import contextlib
import os
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from npgpt.errors import InputError


def write_atomically(path: str | Path, data: bytes | str) -> None:
    """Write a file aside, flush it to the disk, and rename it into place.

    Whoever reads `path`, whenever the writer is killed, sees the old file
    or the new one. Text is UTF-8 with "\\n" line ends. Errors name `path`.
    """
    path = Path(path)
    if isinstance(data, str):
        data = data.encode("utf-8")
    with errors_about(path), written_aside(path) as file:
        file.write(data)


@contextlib.contextmanager
def written_aside(path: Path, flush: bool = True) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` once all is written.

    Where the writing fails, `path` is left as it was. `flush=False` leaves it to
    the system when the disk has it: for files that can be checked and made again.
    """
    aside = name_beside(path)
    try:
        with open(aside, "xb") as file:
            yield file
            file.flush()
            if flush:
                os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if flush:
        sync_directory(path.parent)


def name_beside(path: Path) -> Path:
    """A hidden name in the same directory, which nothing has yet."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextlib.contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """What the system refuses in here is told of `path`, not of a name aside."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def locked(path: Path, lock: str = "config.json", doing: str = "trained") -> Iterator[None]:
    """Keep a directory to this process, however it ends, by a lock on a file in it;
    InputError where another has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(path / lock, "rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{path} is being {doing} by another process;"
                             " wait for it, or stop it") from None
        except OSError:
            pass  # a file system that has no locks
        yield


def shell_quote(path: str | Path) -> str:
    """A name as a command line takes it, whatever characters it holds."""
    name = str(path)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def sync_directory(path: str | Path) -> None:
    """Flush a directory's entries (a rename) to the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
