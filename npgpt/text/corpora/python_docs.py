"""Python's own documentation, which is installed with it."""

import re
import sys

PYTHON_LICENCE = "PSF-2.0"


def python_source() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return f"pydoc_data.topics of Python {version}; Python Software Foundation"


def python_docs() -> list[str]:
    """The topics of Python's `help()`, one document for each heading."""
    from pydoc_data.topics import topics

    return [part for name in sorted(topics) for part in cut_at_headings(topics[name])]


def cut_at_headings(text: str) -> list[str]:
    """Sections of a text whose headings are underlined with one of ``* = - ~ ^``."""
    parts = re.split(r"(?m)^(?=\S[^\n]*\n([*=~^-])\1{2,}$)", text)[::2]
    return [part.strip("\n") for part in parts if part.strip()]
