"""How the chapters hang together: what each builds on, and what builds on it.

`:before: linear softmax` in a chapter's head is the one place that says so;
the links the other way, "used by", follow from all heads together.
"""

import re
from functools import lru_cache
from pathlib import Path

DOCS = Path(__file__).parents[1]


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
    for path in sorted([*DOCS.glob("*.md"), *(DOCS / "chapters").glob("*.md")]):
        match = re.search(r"^# (.*)$", path.read_text(encoding="utf-8"), re.M)
        found[path.stem] = match[1] if match else path.stem
    return found


def title_of(page):
    """The first heading of any page, chapter or not."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return re.search(r"^# (.*)$", text, re.M)[1]


def used_by(page):
    return [other for other, before in heads().items() if page in before]


@lru_cache(maxsize=1)
def road():
    """{caption: [page, …]} of the table of contents, the book's one reading order."""
    found = {}
    for block in re.findall(r"```\{toctree\}\n(.*?)```",
                            (DOCS / "index.md").read_text(encoding="utf-8"), re.S):
        caption = re.search(r":caption: (.*)", block)
        found[caption[1] if caption else ""] = [
            line for line in block.split("\n") if line and not line.startswith(":")]
    return found


def stretch_of(page):
    """The caption that a page stands under."""
    return next((caption for caption, pages in road().items() if page in pages), None)


def lede(page):
    """The sentence in a page's head."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    match = re.search(r"```\{chapter\}.*?\n(.*?)```", text, re.S)
    lines = [line for line in (match[1] if match else "").split("\n")
             if line.strip() and "|" not in line and not line.startswith((":", "from: "))]
    return " ".join(lines)
