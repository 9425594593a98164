"""Stop strings: where a text that is being written ends."""

from collections.abc import Iterable

from npgpt.errors import InputError


class StopStrings:
    """Takes a text piece by piece, ends it before the first stop string.

    What may be the beginning of a stop string is held back until the next
    pieces tell. The first is the one that is complete first (of two that end
    together, the longer), so it does not matter how the text is cut in pieces.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self.stops = list(stops)
        if not all(self.stops):
            raise InputError("a stop string is empty: give at least one character")
        self.found = False
        self._waiting = ""

    def push(self, piece: str) -> str:
        """The text that is sure, perhaps none; nothing once a stop was found."""
        if self.found:
            return ""
        self._waiting += piece
        ends = [
            (start + len(stop), start)
            for stop in self.stops
            if (start := self._waiting.find(stop)) >= 0
        ]
        if ends:
            self.found = True
            return self._take(min(ends)[1])
        return self._take(len(self._waiting) - self._beginning())

    def finish(self) -> str:
        """The text ends here: what was held back, if no stop was found."""
        return "" if self.found else self._take(len(self._waiting))

    def _beginning(self) -> int:
        """How many characters at the end may be the beginning of a stop string."""
        return max(
            (
                size
                for stop in self.stops
                for size in range(1, len(stop))
                if self._waiting.endswith(stop[:size])
            ),
            default=0,
        )

    def _take(self, size: int) -> str:
        sure, self._waiting = self._waiting[:size], self._waiting[size:]
        return sure
