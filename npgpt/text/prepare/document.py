"""A document on its way through the steps: each step gives the next one, or drops it."""

from dataclasses import dataclass, field

import numpy as np


def _none() -> np.ndarray:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True)
class Dropped:
    """A document that goes no further, and why. `text` is what the step read that dropped it."""

    source: str
    start: int
    text: str
    reason: str
    size: int = 0


@dataclass(frozen=True)
class Document:
    """A text, where it comes from, and what the steps have found out about it so far."""

    source: str  # the name of its file
    start: int  # its first byte there
    text: str
    kind: str = "document"  # "html" for a page, to be stripped
    size: int = 0  # bytes of the text as it was read
    # found on the way
    words: np.ndarray = field(default_factory=_none, repr=False)  # hashes, before masking
    groups: np.ndarray = field(default_factory=_none, repr=False)  # of five words
    masked: dict[str, int] = field(default_factory=dict)  # how many of each kind
    masked_examples: dict[str, list[str]] = field(default_factory=dict)
    signature: np.ndarray = field(default_factory=_none, repr=False)  # of its groups

    def drop(self, reason: str) -> Dropped:
        return Dropped(self.source, self.start, self.text, reason, self.size)
