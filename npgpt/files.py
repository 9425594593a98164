"""Files that are written whole, and directories that have one writer."""

import contextlib
import json
import os
import re
import secrets
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from npgpt.errors import InputError

MOST_DIGITS = 300  # of a whole number: more do not fit a float


def write_atomically(path: str | Path, data: bytes | str) -> None:
    """Write a file whole. Text is UTF-8, its lines end in "\\n". Errors name `path`."""
    if isinstance(data, str):
        data = data.encode("utf-8")
    with written_aside(Path(path)) as aside, open(aside, "xb") as file:
        file.write(data)


@contextlib.contextmanager
def written_aside(path: Path, flush: bool = True) -> Iterator[Path]:
    """A hidden name in the same directory. What is written there takes the place of
    `path` when the block ends, flushed to the disk; a block that fails leaves nothing.

    Whoever reads `path`, whenever the writer is killed, sees the old file or the
    new one. What the system refuses is told of `path`. `flush=False` leaves it to the
    system when the disk has it: for files that can be checked and made again.
    """
    aside = name_beside(path)
    with errors_about(path):
        try:
            yield aside
            if flush:
                with open(aside, "rb+") as file:
                    os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        if flush:
            sync_directory(path.parent)


def read_bytes(file: Path) -> bytes:
    """All of a file. InputError for a device without an end, such as /dev/zero."""
    if file.exists() and is_endless(file.stat()):
        raise InputError(f"{file} is a device, which has no end: give a file")
    return file.read_bytes()


def read_stdin() -> bytes:
    """All of standard input. InputError where it is a device without an end."""
    with contextlib.suppress(OSError):  # one that is not the system's
        if not sys.stdin.isatty() and is_endless(os.fstat(sys.stdin.fileno())):
            raise InputError("standard input is a device, which has no end: give a file")
    return sys.stdin.buffer.read()


def is_endless(status: os.stat_result) -> bool:
    """Whether it is a device that gives characters, other than the empty one."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev != os.stat(os.devnull).st_rdev


def read_json(file: Path) -> dict:
    """The object in a JSON file of any of Unicode's encodings, with or without a byte
    order mark; anything else is an InputError."""
    try:
        fields = parse_json(read_bytes(file))
    except InputError as error:
        raise InputError(f"{file} holds {error}; restore it from a copy") from None
    except (ValueError, RecursionError):
        raise InputError(f"{file} is not JSON; restore it from a copy") from None
    if not isinstance(fields, dict):
        raise InputError(f"{file} holds no JSON object; restore it from a copy")
    return fields


def parse_json(text: str | bytes) -> Any:
    """json.loads, but InputError for a whole number that is too large for a float."""
    return json.loads(text, parse_int=whole_number)


def whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise InputError(f"a whole number of {len(digits)} digits")
    return int(digits)


def name_beside(path: Path) -> Path:
    """A hidden name in the same directory, which nothing has yet."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def left_beside(path: Path) -> list[Path]:
    """What writers of `path` that were killed have left under such names."""
    if not os.access(path.parent, os.R_OK):
        return []
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    return [file for file in path.parent.iterdir() if name.fullmatch(file.name)]


@contextlib.contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """An error of the system in this block names `path`, not the file set aside."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def locked(path: Path, lock: str = "config.json", doing: str = "trained") -> Iterator[None]:
    """Keep a directory to this process until it ends, however it ends. InputError where
    another process has it.

    The lock is on a file that is there anyway and is not written to, so that none is
    left behind: filelock's would be a file of its own.
    """
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
