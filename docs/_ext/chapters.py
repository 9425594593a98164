"""How the chapters hang together: what each builds on, and what builds on it.

`:before: linear softmax` in a chapter's head is the one place that says so;
the links the other way, "used by", follow from all heads together.
"""

import re
from functools import lru_cache

from block import DOCS


@lru_cache(maxsize=1)
def heads():
    """{page: [page, …]}: what each chapter names as before it."""
    found = {}
    for path in sorted((DOCS / "chapters").glob("*.md")):
        match = re.search(r"^:before: *(.*)$", path.read_text(encoding="utf-8"), re.M)
        found[path.stem] = match[1].split() if match else []
    return found


@lru_cache(maxsize=1)
def titles():
    found = {}
    for path in sorted((DOCS / "chapters").glob("*.md")):
        match = re.search(r"^# (.*)$", path.read_text(encoding="utf-8"), re.M)
        found[path.stem] = match[1] if match else path.stem
    return found


def used_by(page):
    return [other for other, before in heads().items() if page in before]
