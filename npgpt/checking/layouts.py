"""The same numbers, laid out otherwise in memory, give the same results."""

from dataclasses import replace

import numpy as np

from npgpt.checking.budgets import budgets, error_between, scales
from npgpt.checking.case import is_array, is_pair, mapped, parts
from npgpt.checking.check import Finding, compare
from npgpt.tree import leaves


def check_layouts(case, arms, first):
    """-> findings. `first` is the arm that measures, where it is needed."""
    findings = []
    versions = {True: mapped(case, constant_along_the_first_axis), False: case}
    size = {}

    def allowed(constant):
        plain = versions[constant]
        if constant not in size:
            size[constant] = budgets(plain, scales(plain, first), "float64")
        return size[constant]

    for arm in arms:
        for layout in arm.layouts:
            constant = layout == "broadcast"
            if constant and not is_pair(case) and case.discrete:
                continue
            own = arm.native(versions[constant])
            laid = laid_out(own, layout, arm)
            expected = arm.compute(versions[constant])
            results = {name: arm.leave(value)
                       for name, value in arm.results(laid).items()}
            if any(error_between(results[name], expected[name])[0] for name in expected):
                wrong = compare(case, results, expected,
                                (f"{arm.name} on {layout} arrays", arm.name),
                                allowed(constant), "float64", {})
                findings += [replace(finding, layout=layout) for finding in wrong]
        if not case.views:
            own = arm.native(case)
            findings += owned(case, arm, own, arm.results(own))
    return findings


def laid_out(own, layout, arm):
    """A case of the arm's own arrays, each laid out anew where it can be."""
    return mapped(own, lambda name, array:
                  arm.layouts[layout](array) if fits(layout, array) else array)


def owned(case, arm, own, results):
    """A result that is an input, or a view of one, changes with it."""
    inputs = [array for _, array in leaves(parts(own)) if is_array(array)]
    return [Finding(case, name, (arm.name,),
                    f"{name} of {arm.name} shares its memory with an input")
            for name, result in results.items() if is_array(result)
            if any(arm.shares(result, array) for array in inputs)]


def fits(layout, array):
    if layout == "transposed":
        return array.ndim >= 2
    return array.ndim >= 1 and array.shape[0] > 0


def constant_along_the_first_axis(name, array):
    array = np.asarray(array)
    return np.array(np.broadcast_to(array[:1], array.shape)) if array.ndim else array


def check_determinism(case, arm, dtype="float32"):
    """The same bits twice."""
    once, twice = arm.compute(case, dtype), arm.compute(case, dtype)
    return [Finding(case, name, (arm.name,), f"{name} of {arm.name} has other bits the second time")
            for name in once if not np.array_equal(once[name], twice[name], equal_nan=True)]
