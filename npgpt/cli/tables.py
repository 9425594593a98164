"""The one way in which the commands print a table, whole or row by row."""

import sys
from collections.abc import Sequence
from typing import Self


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None,
    left: int = 1
) -> None:
    """A table on stdout, its first `left` columns aligned to the left, the others to the
    right. A row may be shorter than the heads. A line is never broken."""
    from rich.console import Console

    table = make_table(heads, rows, title, left)
    console = Console(highlight=False)
    options = console.options.update(max_width=1000)
    console.width = max(console.width, console.measure(table, options=options).maximum)
    console.print(table)


def make_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None, left: int = 1
):
    """The table as rich's own."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=title and Text(title), title_justify="left")
    for i, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if i < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


class GrowingTable:
    """A table on stderr that gets its rows one by one: on a terminal its last rows, drawn
    anew; plain lines elsewhere."""

    LAST = 14

    def __init__(self, heads: Sequence[str]) -> None:
        self.heads = heads
        self.rows: list[Sequence[str]] = []
        self.live = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self.live = Live(console=Console(stderr=True), refresh_per_second=8)

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        else:
            self.print_line(self.heads)
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def add(self, row: Sequence[str], due: bool) -> None:
        """The newest row; it stays in the table where it is due."""
        if self.live:
            self.live.update(make_table(self.heads, [*self.rows, row][-self.LAST:], left=0))
        elif due:
            self.print_line(row)
        if due:
            self.rows.append(row)

    def print_line(self, cells: Sequence[str]) -> None:
        print(" ".join(f"{cell:>12}" for cell in cells), file=sys.stderr, flush=True)
