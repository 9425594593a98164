"""Personal data, found kind by kind and masked."""

from npgpt.text.prepare.personal.mask import (
    EXAMPLES,
    NOT_FOUND,
    find_personal,
    first_examples,
    mask_document,
    mask_personal,
)

__all__ = [
    "EXAMPLES", "NOT_FOUND", "find_personal", "first_examples", "mask_document", "mask_personal",
]
