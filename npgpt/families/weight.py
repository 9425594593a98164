"""Weight: what a parameter is before it has numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Weight:
    """A parameter's shape, and how its first values are drawn: ("constant",
    value), ("normal", standard deviation) or ("uniform", bound)."""

    shape: tuple[int, ...]
    init: tuple[str, float]


ones, zeros = ("constant", 1.0), ("constant", 0.0)


def normal(std):
    """Mean 0, standard deviation std."""
    return ("normal", std)


def uniform(bound):
    """Between -bound and bound."""
    return ("uniform", bound)
