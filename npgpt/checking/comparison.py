"""Two values, a budget, and what is said where they lie further apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from npgpt.checking.case import FunctionCase, PairCase, at


def error_between(a, b):
    """-> max|a − b|, its index. Infinite where a shape differs or just one
    of them is not a number; equal infinities agree."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return np.inf, ()
    if a.size == 0:
        return 0.0, ()
    with np.errstate(invalid="ignore"):
        error = np.where(a == b, 0.0, np.abs(a - b))
    error = np.where(np.isnan(error), np.inf, error)
    index = np.unravel_index(int(error.argmax()), error.shape)
    return float(error[index]), tuple(int(i) for i in index)


def ratio(error, budget):
    """The error in units of its budget."""
    return error / budget if budget > 0 else (0.0 if error == 0 else np.inf)


@dataclass(frozen=True)
class Comparison:
    """A result, of two that must agree. kind: "witness", "derivative" (a
    gradient tried out), "precision", "layout", "law", "edge" or "step"."""

    kind: str
    result: Any                 # its name; a step's Key
    between: tuple
    error: float
    budget: float
    index: tuple = ()

    @property
    def ratio(self):
        return ratio(self.error, self.budget)

    @property
    def agree(self):
        return self.error <= self.budget


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be; `about` names the
    implementations; tried: other cases that a law computed; brief: `what`
    without its figures, for where a step is named, which has its own."""

    case: PairCase | FunctionCase
    value: str
    about: tuple
    what: str
    error: float = np.inf
    budget: float = 0.0
    layout: str = ""
    other_dtype: str = ""       # the one it should have had
    tried: tuple = ()
    is_edge: bool = False
    brief: str = ""

    def __str__(self):
        return self.told(self.what)

    def told(self, what):
        return (f"{self.case.component}: {what}\n"
                f"  replay: npgpt gradcheck --layer {self.case.component}"
                f" --at \"{at(self.case)}\"")


def compared(kind, case, left, right, names, allowed, dtype="float64"):
    """-> comparisons, findings: each result of one implementation against
    the other's."""
    comparisons, findings = [], []
    for name in dict.fromkeys([*left, *right]):
        if name not in left or name not in right:
            missing = names[0] if name not in left else names[1]
            findings.append(Finding(case, name, (missing,), f"{missing} returns no {name}:"
                                    " the witness did not run"))
            continue
        a, b = left[name], right[name]
        if a.size and np.may_share_memory(a, b):
            findings.append(Finding(case, name, names, f"{name} of {names[0]} and {names[1]} is"
                                    " one array: it would be compared with itself"))
            continue
        error, index = error_between(a, b)
        found = Comparison(kind, name, names, error, allowed.get(name, 0.0), index)
        comparisons.append(found)
        if not found.agree:
            findings.append(Finding(
                case, name, names, f"{name} of {names[0]} and of {names[1]} differ"
                f" {by_how_much(found, a, b)} in {dtype}", error, found.budget,
                brief=f"{name} of {names[0]} and of {names[1]} differ in {dtype}"))
    return comparisons, findings


def by_how_much(found, a, b):
    if np.isfinite(found.error):
        place = f" at {list(found.index)}" if found.index else ""
        return f"by {found.error:.2g} ({found.ratio:.2g} of its budget){place}"
    if a.shape != b.shape:
        return f"in shape, {a.shape} and {b.shape},"
    return "in what is finite"
