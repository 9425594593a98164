"""Text as it is generated, one id at a time."""

import codecs
from collections.abc import Callable, Iterable


class StreamDecoder:
    """Turns ids into text as they come, and never returns half a character.

    A character of UTF-8 is one to four bytes, and a byte-level token may end
    inside it: such bytes are held back until the rest arrives. What all
    pushes and `finish` return, joined, is what `decode` gives of all ids.
    """

    def __init__(self, decode_bytes: Callable[[Iterable[int]], bytes]) -> None:
        self._decode_bytes = decode_bytes
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, id: int) -> str:
        """The characters that this id completes, perhaps none."""
        return self._utf8.decode(self._decode_bytes([id]))

    def finish(self) -> str:
        """What was held back: "\\ufffd" where the last character is cut off."""
        return self._utf8.decode(b"", final=True)
