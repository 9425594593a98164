"""The same numbers, laid out otherwise in memory, give the same results."""

from dataclasses import replace

import numpy as np

from npgpt.checking.budgets import budgets, scales
from npgpt.checking.case import is_array, is_pair, mapped, parts
from npgpt.checking.comparison import Finding, compared, error_between
from npgpt.tree import tree_leaves


def check_layouts(found, first, implementation, own, results):
    """-> comparisons, findings. own, results: the case and its results as
    they were in plain arrays, in the implementation's own."""
    case, name = found.case, implementation.name
    comparisons, findings = [], []
    for layout in implementation.layouts:
        plain, expected, size = case, found.values[name], found.size
        if layout == "broadcast":
            if not is_pair(case) and case.discrete:
                continue
            plain = mapped(case, constant_over_the_first_axis)
            expected, size = implementation.compute(plain), None
        laid = laid_out(implementation.native(plain), layout, implementation)
        values = {result: implementation.leave(value)
                  for result, value in implementation.results(laid).items()}
        if any(result not in values or error_between(values[result], expected[result])[0]
               for result in expected):
            allowed = budgets(plain, size or scales(plain, first), "float64")
            more, wrong = compared("layout", case, values, expected,
                                   (f"{name} on {layout} arrays", name), allowed)
            comparisons += more
            findings += [replace(finding, layout=layout) for finding in wrong]
    if not case.views:
        findings += owned(case, implementation, own, results)
    return comparisons, findings


def laid_out(own, layout, implementation):
    """A case of an implementation's own arrays, each laid out anew where it
    can be."""
    return mapped(own, lambda name, array: implementation.layouts[layout](array)
                  if fits(layout, array) else array)


def owned(case, implementation, own, results):
    """A result that is an input, or a view of one, changes with it."""
    inputs = [array for _, array in tree_leaves(parts(own)) if is_array(array)]
    return [Finding(case, name, (implementation.name,),
                    f"{name} of {implementation.name} shares its memory with an input")
            for name, result in results.items() if is_array(result)
            if any(implementation.same_memory(result, array) for array in inputs)]


def fits(layout, array):
    if layout == "transposed":
        return array.ndim >= 2
    return array.ndim >= 1 and array.shape[0] > 0


def constant_over_the_first_axis(name, array):
    array = np.asarray(array)
    return np.array(np.broadcast_to(array[:1], array.shape)) if array.ndim else array
