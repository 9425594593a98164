"""Edges: what a component must do with one feature, no rows, −inf, NaN.

An edge takes an implementation and yields (what, found, wanted), and where
rounding may have a say the error that is allowed: arrays or numbers that
must be the same. `run` and `back` call its functions on NumPy's arrays."""

import numpy as np

from npgpt.checking.case import backward_of, is_array
from npgpt.tree import tree_map


def run(implementation, name, *args, **options):
    """-> a forward's output, what it has saved as it is."""
    output, saved = implementation.find(name)(
        *entered(implementation, list(args)), **entered(implementation, options))
    return left(implementation, output), saved


def back(implementation, name, d_y, saved):
    """-> what the backward of `name` returns."""
    return call(implementation, backward_of(name), d_y, saved)


def call(implementation, name, *args, **options):
    """-> what a function returns."""
    return left(implementation, implementation.find(name)(
        *entered(implementation, list(args)), **entered(implementation, options)))


def entered(implementation, tree):
    """The implementation's own arrays, of the same number format."""
    return tree_map(lambda value: implementation.enter(value, str(value.dtype))
                    if isinstance(value, np.ndarray) else value, tree)


def left(implementation, value):
    """NumPy's arrays, of the same number format."""
    def one(each):
        if not is_array(each):
            return each
        return implementation.leave(each).astype(str(each.dtype).removeprefix("torch."))

    if isinstance(value, tuple):
        return tuple(left(implementation, part) for part in value)
    return tree_map(one, value)


def is_ours(implementation):
    """Ours refuse bad input in one way; other packages may do as they like."""
    return {package.split(".")[0] for package in implementation.packages} <= {"npgpt", "torchgpt"}


def stops(kind, function, *args, **options):
    """True where the call raises such an error."""
    try:
        function(*args, **options)
    except kind:
        return True
    return False
