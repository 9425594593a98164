"""Names in a message: the first few of many, and of each the beginning."""

LONGEST = 120  # characters of a name


def first_few(names: list[str]) -> str:
    few = ", ".join(name[:LONGEST] for name in names[:3])
    return few if len(names) <= 3 else f"{few} and {len(names) - 3} more"
