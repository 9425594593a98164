"""The one error that a user's input can cause."""


class InputError(ValueError):
    """What is wrong and what to do, in one line; commands print it
    as `error: …` and leave with status 2."""
