"""Derivatives found by trying: the complex step and finite differences."""

from dataclasses import replace

import numpy as np

from npgpt.checking.case import differentiated, is_float
from npgpt.tree import rebuild

STEP = 1e-100


def along(case, directions, step):
    """The case with its inputs and params moved by step · direction."""
    def move(name, array):
        direction = directions.get(f"d_{name}")
        return array if direction is None else array + step * direction

    return replace(case, inputs=rebuild(case.inputs, move),
                   params=rebuild(case.params, move))


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
    moved = to_complex(along(case, directions, STEP * 1j))
    return float((case.d_y * case.forward(find, moved).imag).sum() / STEP)


def complex_jacobian(case, find, name):
    """dy/dx in full, (size of y, size of x), a column for each entry."""
    array = differentiated(case)[name]
    columns = []
    for i in range(array.size):
        unit = np.zeros(array.size)
        unit[i] = 1.0
        moved = to_complex(along(case, {name: unit.reshape(array.shape)}, STEP * 1j))
        columns.append(np.ravel(case.forward(find, moved).imag) / STEP)
    return np.stack(columns, axis=1)


def to_complex(case):
    """The inputs and weights as complex numbers, so that none meets a real
    storage on the way."""
    def one(name, array):
        return array.astype(np.complex128) if is_float(array) else array

    return replace(case, inputs=rebuild(case.inputs, one),
                   params=rebuild(case.params, one))


def finite_difference(case, find, directions, step=1e-5):
    """The same product from two forwards and a subtraction: exact to about
    step², and to the rounding of y divided by step."""
    def value(s):
        return float((case.d_y * case.forward(find, along(case, directions, s))).sum())

    return (value(step) - value(-step)) / (2 * step)


def against(grads, directions):
    """The same product from hand-written gradients."""
    return float(sum((grads[name] * direction).sum()
                     for name, direction in directions.items()))


