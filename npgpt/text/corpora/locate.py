"""What a corpus' name means: one that is made here, one to be fetched, or files."""

import glob
import os
import re

from npgpt.errors import InputError
from npgpt.text.corpora.download import REMOTE, fetch

KNOWN = ("python-docs", "stories", *REMOTE)


def is_path(name: str) -> bool:
    """Whether `load_corpus` takes it for files: all that is no known name and no URL."""
    made_here = name in ("python-docs", "stories") or name.startswith("stories:")
    return not (made_here or name in REMOTE or is_url(name))


def is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def locate(name: str, sha256: str | None = None) -> tuple[str, str, str]:
    """(path, licence, source) of a source that is not made here; a URL is fetched first."""
    if name in REMOTE:
        remote = REMOTE[name]
        return str(fetch(remote.url, remote.sha256)), remote.licence, remote.url
    if is_url(name):
        if not sha256:
            raise InputError(f"a URL needs its checksum: give the SHA-256 of {name}")
        return str(fetch(name, sha256)), "unknown", name
    if not os.path.lexists(name) and not glob.has_magic(name):
        raise InputError(
            f"no corpus and no file is called {name!r}; known corpora: {', '.join(KNOWN)}"
        )
    return name, "unknown (your files)", name


def stories_size(name: str) -> int:
    """The bytes that "stories:10MB" or "stories:short:10MB" asks for; a megabyte where it
    names no size."""
    found = re.fullmatch(r"stories(?::short)?(?::(\d{1,9}(?:\.\d{1,9})?)(kB|KB|MB|GB))?", name)
    if not found or (found[1] and not float(found[1])):
        raise InputError(f"{name!r} is not a size of stories; say for example stories:10MB")
    unit = {"KB": 1e3, "MB": 1e6, "GB": 1e9}
    return int(float(found[1]) * unit[found[2].upper()]) if found[1] else 1_000_000
