"""Files that are never half-written."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: str | Path, data: bytes | str) -> None:
    """Write a file aside, flush it to the disk, and rename it into place.

    Whoever reads `path`, whenever the writer is killed, sees the old file
    or the new one. Text is UTF-8 with "\\n" line ends.
    """
    path = Path(path)
    if isinstance(data, str):
        data = data.encode("utf-8")
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: str | Path) -> None:
    """Flush a directory's entries (a rename) to the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
