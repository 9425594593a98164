"""What a benchmark prints: lines, and tables that the command line draws."""

from typing import NamedTuple


class Table(NamedTuple):
    heads: list[str]
    rows: list[list[str]]
    title: str | None = None


Report = list[str | Table]
