"""The one way in which the commands print a table."""

from collections.abc import Sequence


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None,
    left: int = 1
) -> None:
    """A table on stdout, its first `left` columns aligned to the left, the others to the
    right. A row may be shorter than the heads. A line is never broken."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=title and Text(title), title_justify="left")
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False)
    options = console.options.update(max_width=1000)
    console.width = max(console.width, console.measure(table, options=options).maximum)
    console.print(table)
