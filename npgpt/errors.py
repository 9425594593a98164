"""The one error that a user's input can cause, and how it quotes that input."""

import reprlib


class InputError(ValueError):
    """What is wrong and what to do, in one line; commands print it
    as `error: …` and leave with status 2."""


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def quote(value: object) -> str:
    """A value as an error quotes it: a long one is cut, for it may be a whole file."""
    return _SHORT.repr(value)
