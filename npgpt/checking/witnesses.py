"""Derivatives found by trying: the complex step and finite differences."""

from dataclasses import replace

import numpy as np

from npgpt.checking.budgets import LAYER, UNIT, budgets, scales
from npgpt.checking.case import differentiated, is_float
from npgpt.checking.comparison import Comparison, Finding, error_between
from npgpt.checking.draw import Numbers
from npgpt.tree import tree_map, tree_map_with_path

STEP = 1e-100
JACOBIAN = 24


def stepped(case, directions, step):
    """The case with its inputs and params moved by step · direction."""
    def move(name, array):
        direction = directions.get(f"d_{name}")
        return array if direction is None else array + step * direction

    return replace(case, inputs=tree_map_with_path(move, case.inputs),
                   params=tree_map_with_path(move, case.params))


def random_directions(case, numbers, names=None):
    """One random array for each gradient (or those named); 0 where the
    input is not finite: there is no step from −inf."""
    return {name: np.where(np.isfinite(array), numbers.normal(*np.shape(array)), 0.0)
            for name, array in differentiated(case).items()
            if names is None or name in names}


def complex_step(case, find, directions):
    """d_y · dy/dx · direction, from the imaginary part of one forward: no
    two numbers are subtracted, so the step can be as small as you like
    (Squire and Trapp, 1998)."""
    moved = to_complex(stepped(case, directions, STEP * 1j))
    return float((case.d_y * case.forward(find, moved).imag).sum() / STEP)


def complex_jacobian(case, find, name):
    """dy/dx in full, (size of y, size of x), a column for each entry."""
    array = differentiated(case)[name]
    columns = []
    for i in range(array.size):
        unit = np.zeros(array.size)
        unit[i] = 1.0
        moved = to_complex(stepped(case, {name: unit.reshape(array.shape)}, STEP * 1j))
        columns.append(np.ravel(case.forward(find, moved).imag) / STEP)
    return np.stack(columns, axis=1)


def to_complex(case):
    """The inputs and weights as complex numbers, so that none meets a real
    storage on the way."""
    def one(array):
        return array.astype(np.complex128) if is_float(array) else array

    return replace(case, inputs=tree_map(one, case.inputs), params=tree_map(one, case.params))


def finite_difference(case, find, directions, step=1e-5):
    """The same product from two forwards and a subtraction: exact to about
    step², and to the rounding of y divided by step."""
    def value(s):
        return float((case.d_y * case.forward(find, stepped(case, directions, s))).sum())

    return (value(step) - value(-step)) / (2 * step)


def against(grads, directions):
    """The same product from hand-written gradients."""
    return float(sum((grads[name] * direction).sum()
                     for name, direction in directions.items()))


def derivatives_compared(case, first, values, size, apart=False):
    """-> comparisons, findings: every implementation's gradients against the
    complex step of the first's forward, along random directions, and in full
    where that is small. apart: each gradient of a block or a model along a
    direction of its own, not all along one."""
    comparisons, findings = [], []
    numbers = Numbers(case.chosen.get("seed", 0) + 1)
    names = list(differentiated(case))
    groups = [names] if case.nested and not apart else [[name] for name in names]
    for group in groups:
        directions = random_directions(case, numbers, group)
        tried = complex_step(case, first.find, directions)
        budget = constant_of(case) * UNIT["float64"] * sum(
            size[name] * np.abs(direction).sum() for name, direction in directions.items())
        for name, result in values.items():
            if not all(gradient in result for gradient in group):
                continue
            what = group[0] if len(group) == 1 else "the gradient"
            found = Comparison("derivative", what, (name, "complex step"),
                               abs(against(result, directions) - tried), budget)
            comparisons.append(found)
            if not found.agree:
                findings.append(Finding(
                    case, what, found.between,
                    f"{what} of {name} differs from the complex step by {found.error:.2g}"
                    f" ({found.ratio:.2g} of its budget) along a random direction",
                    found.error, budget,
                    brief=f"{what} of {name} differs from the complex step"))
    y = values[first.name]["y"]
    for name, array in differentiated(case).items():
        if not case.nested and 0 < y.size * np.size(array) <= JACOBIAN:
            findings += check_jacobian(case, first, name, y)
    return comparisons, findings


def constant_of(case):
    """C of a derivative's budget; twice a layer's where many steps add up."""
    return LAYER if case.scale else 2 * LAYER


def check_jacobian(case, first, name, y):
    """The backward of each unit upstream gradient is a row of dy/dx."""
    tried = complex_jacobian(case, first.find, name)
    for i in range(y.size):
        unit = np.zeros(y.size)
        unit[i] = 1.0
        one = replace(case, d_y=unit.reshape(y.shape))
        values = first.compute(one)
        allowed = budgets(one, scales(one, first, values), "float64")
        error, _ = error_between(values[name].ravel(), tried[i])
        if not error <= allowed[name]:
            return [Finding(case, name, (first.name, "complex step"),
                            f"{name} of {first.name} differs from the Jacobian by the complex step"
                            f" by {error:.2g} in row {i}", error, allowed[name])]
    return []


def finite_differences(case, first, values, size):
    """{gradient: how far the first's is from the finite difference along its
    direction, relative to the larger of that and its terms}."""
    numbers, errors = Numbers(case.chosen.get("seed", 0) + 1), {}
    for name in differentiated(case):
        one = random_directions(case, numbers, [name])
        tried = finite_difference(case, first.find, one)
        errors[name] = abs(against(values, one) - tried) / max(abs(tried), size[name], 1e-300)
    return errors
