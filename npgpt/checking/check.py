"""One case, every witness: what they say, and where they part."""

from dataclasses import dataclass, replace

import numpy as np

from npgpt.checking.budgets import LEAF, UNIT, budgets, error_between, scales, share
from npgpt.checking.case import (
    FunctionCase,
    PairCase,
    at,
    differentiated,
    is_pair,
    mapped,
    parts,
)
from npgpt.checking.draw import Numbers
from npgpt.checking.witnesses import against, complex_jacobian, complex_step, random_directions
from npgpt.tree import leaves

JACOBIAN = 24


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be; `arms` are those it is about."""

    case: PairCase | FunctionCase
    value: str
    arms: tuple
    what: str
    error: float = np.inf
    budget: float = 0.0
    layout: str = ""
    other_dtype: str = ""       # the one it should have had

    def __str__(self):
        return (f"{self.case.component}: {self.what}\n"
                f"  replay: npgpt gradcheck --layer {self.case.component}"
                f" --at \"{at(self.case)}\"")


def check(case, arms, precise=(), tally=None):
    """-> findings, none where all is well.

    arms: all pairs of them must agree in float64; the first also measures.
    precise: (dtype, arm) pairs, each held to the first arm's float64."""
    values, findings = {}, []
    for arm in arms:
        values[arm.name], more = observe(case, arm, "float64")
        findings += more
    if findings:
        return findings
    first = arms[0]
    truth = values[first.name]
    size = scales(case, first, truth)
    allowed = budgets(case, size, "float64")
    shares = {}
    names = [arm.name for arm in arms]
    for i, left in enumerate(names):
        for right in names[i + 1:]:
            findings += compare(case, values[left], values[right], (left, right),
                                allowed, "float64", shares)
    if is_pair(case) and not case.no_complex_step:
        findings += check_derivative(case, first, values, size, shares)
    if not findings:
        for dtype, arm in precise:
            findings += check_precision(case, first, arm, dtype, truth, size, shares)
    if tally is not None:
        ran = [*names, *[f"{arm.name} {dtype}" for dtype, arm in precise]]
        if is_pair(case) and not case.no_complex_step:
            ran.append("complex step")
        tally.add(case, ran, values[first.name], shares)
    return findings


def observe(case, arm, dtype):
    """-> the arm's results as NumPy, findings: results that are missing,
    of another dtype or not numbers, and inputs that were written to."""
    own = arm.native(case, dtype)
    results = arm.results(own)
    findings = []

    def find(name, what, **more):
        findings.append(Finding(case, name, (arm.name,), f"{arm.name}'s {name} {what}", **more))

    values = {}
    for name, result in results.items():
        if result is None:
            find(name, "is missing: the witness did not run")
            continue
        kind = str(getattr(result, "dtype", "")).removeprefix("torch.")
        wanted = None if is_pair(case) else case.result_dtype
        wanted = wanted or dtype
        if ("float" in kind or "complex" in kind) and kind != wanted:
            find(name, f"is {kind}, not {wanted}", other_dtype=wanted)
        values[name] = arm.leave(result)
        if np.isnan(values[name]).any():
            find(name, "is not a number (NaN)")
    for name in differentiated(case):
        if name not in results:
            find(name, "is missing: the witness did not run")
    before = dict(leaves(parts(case)))
    for name, after in leaves(parts(own)):
        if getattr(after, "dtype", None) is not None:
            expected = arm.leave(arm.enter(before[name], dtype))
            if not np.array_equal(arm.leave(after), expected, equal_nan=True):
                find(name, "was an input and has been written to")
    return values, findings


def compare(case, left, right, names, allowed, dtype, shares, truth=False):
    """Each result of one arm against the other's."""
    findings = []
    for name in dict.fromkeys([*left, *right]):
        if name not in left or name not in right:
            missing = names[0] if name not in left else names[1]
            findings.append(Finding(case, name, (missing,), f"{missing} gives no {name}:"
                                    " the witness did not run"))
            continue
        a, b = left[name], right[name]
        if a.size and np.may_share_memory(a, b):
            findings.append(Finding(case, name, names, f"{name} of {names[0]} and {names[1]} is"
                                    " one array: it would be compared with itself"))
            continue
        error, index = error_between(a, b)
        budget = allowed.get(name, 0.0)
        side = "backward" if name.startswith("d_") else "forward"
        shares[side] = max(shares.get(side, 0.0), share(error, budget))
        if not error <= budget:
            place = f" at {list(index)}" if index else ""
            detail = (f"by {error:.2g} ({share(error, budget):.2g} of its budget){place}"
                      if np.isfinite(error) else describe(a, b))
            findings.append(Finding(
                case, name, names, f"{name} of {names[0]} and of {names[1]} differ {detail}"
                f" in {dtype}", error, budget))
    return findings


def describe(a, b):
    if a.shape != b.shape:
        return f"in shape, {a.shape} and {b.shape},"
    return "in what is finite"


def derivative_constant(case):
    """C of its budget; twice a leaf's where many steps add up."""
    return LEAF if case.scale else 2 * LEAF


def check_derivative(case, arm, values, size, shares):
    """Every arm's gradients against the complex step of the first arm's
    forward: along random directions, and in full where that is small."""
    findings = []
    numbers = Numbers(case.chosen.get("seed", 0) + 1)
    gradients = list(differentiated(case))
    groups = [gradients] if case.nested else [[name] for name in gradients]
    for group in groups:
        directions = random_directions(case, numbers, group)
        tried = complex_step(case, arm.find, directions)
        budget = derivative_constant(case) * UNIT["float64"] * sum(
            size[name] * np.abs(direction).sum() for name, direction in directions.items())
        for name, result in values.items():
            if not all(gradient in result for gradient in group):
                continue
            error = abs(against(result, directions) - tried)
            shares["backward"] = max(shares.get("backward", 0.0), share(error, budget))
            if not error <= budget:
                what = group[0] if len(group) == 1 else "the gradient"
                findings.append(Finding(
                    case, what, (name, "complex step"),
                    f"{what} of {name} differs from the complex step by {error:.2g}"
                    f" ({share(error, budget):.2g} of its budget) along a random direction",
                    error, budget))
    y = values[arm.name]["y"]
    for name, array in differentiated(case).items():
        if not case.nested and 0 < y.size * np.size(array) <= JACOBIAN:
            findings += check_jacobian(case, arm, name, y)
    return findings


def check_jacobian(case, arm, name, y):
    """The backward of each unit upstream gradient is a row of dy/dx."""
    tried = complex_jacobian(case, arm.find, name)
    for i in range(y.size):
        unit = np.zeros(y.size)
        unit[i] = 1.0
        one = replace(case, d_y=unit.reshape(y.shape))
        values = arm.compute(one)
        allowed = budgets(one, scales(one, arm, values), "float64")
        error, _ = error_between(values[name].ravel(), tried[i])
        if not error <= allowed[name]:
            return [Finding(case, name, (arm.name, "complex step"),
                            f"{name} of {arm.name} differs from the Jacobian by the complex step"
                            f" by {error:.2g} in row {i}", error, allowed[name])]
    return []


def check_precision(case, first, arm, dtype, truth, size, shares):
    """An arm in few bits against float64 on the same, rounded, inputs."""
    if dtype == "bfloat16":
        case = mapped(case, lambda name, array:
                      arm.leave(arm.enter(array, dtype)).astype(array.dtype))
        truth = first.compute(case)
        if case.scale is not None:
            size = scales(case, first)
    values, findings = observe(case, arm, dtype)
    if findings:
        return findings
    return compare(case, values, truth, (arm.name, f"{first.name} in float64"),
                   budgets(case, size, dtype), dtype, shares)
