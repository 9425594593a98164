"""The errors of one verdict, a row per result."""

import numpy as np

from npgpt.checking.case import is_pair
from npgpt.checking.witnesses import finite_differences


def error_table(found, involved):
    """[{"tensor", "size", implementation: ratio of the budget, ...}, ...], the
    first implementation being the one that the others are compared with."""
    first = involved[0]
    truth = found.values[first.name]
    table = {name: {"tensor": name, "size": float(np.abs(value).max(initial=0))}
             for name, value in truth.items()}
    for each in found.comparisons:
        if each.kind in ("witness", "derivative") and each.between[0] == first.name:
            table.setdefault(each.result, {})[each.between[1]] = each.ratio
    if is_pair(found.case) and found.size:
        for name, error in finite_differences(found.case, first, truth, found.size).items():
            table[name]["finite difference"] = error
    return list(table.values())


def cells(table):
    """-> heads, rows of text: errors as a percentage of their budgets, those of the finite
    difference as they are."""
    names = [name for name in dict.fromkeys(name for row in table for name in row)
             if name not in ("tensor", "size")]
    return ["tensor", *names], [[row["tensor"], *(cell(name, row.get(name)) for name in names)]
                                for row in table]


def cell(name, value):
    if value is None:
        return ""
    if name == "finite difference":
        return f"{value:.0e}"
    return f"{value:.1%}" if value < 10 else "wrong"
