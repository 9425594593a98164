"""The libraries that personal data is told by: of the extra `data`, loaded when first used."""

import importlib
from typing import Any

from npgpt.errors import InputError

NEEDS = {"email": "publicsuffixlist", "phone": "phonenumbers"}


def load(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError:
        raise InputError(
            f"masking personal data needs {library}: pip install 'npgpt[data]', or leave it "
            "unmasked with --no-mask"
        ) from None


def load_for(kinds: tuple[str, ...]) -> None:
    """InputError at once, where a library is missing."""
    for kind in kinds:
        if kind in NEEDS:
            load(NEEDS[kind])
