"""Flat: all of a model's numbers in two long vectors.

AdamW does some fourteen small things to each tensor; on the fifty tensors
of a small model half of that is the interpreter's time. The update itself
is `adamw_step` as it stands: it is handed other arrays, which share their
memory with the nested ones. Element by element, so the bits are the same."""

import math

import numpy as np

from npgpt.speed.threads import fill
from npgpt.tree import tree_leaves, tree_map_with_path

PIECE = 2**17  # numbers: a piece, its gradient and moments about fill a core's cache


def by_rows(path, array):
    """Every matrix lies row after row."""
    return False


def flat_like(params, by_columns=by_rows):
    """-> nested arrays shaped like params, not filled: views of one long
    vector for all that has two or more dimensions, so decays, and of
    another for the rest. Matrices for which by_columns(path, matrix) lie
    column after column, which makes some products faster."""
    stores, starts = {}, {True: 0, False: 0}
    for decays in (True, False):
        arrays = [a for _, a in tree_leaves(params) if (a.ndim >= 2) == decays]
        kind = arrays[0].dtype if arrays else None
        stores[decays] = np.empty(sum(a.size for a in arrays), kind)

    def view(path, array):
        decays = array.ndim >= 2
        start = starts[decays]
        starts[decays] += array.size
        numbers = stores[decays][start:start + array.size]
        if decays and by_columns(path, array):
            return numbers.reshape(array.T.shape).T
        return numbers.reshape(array.shape)

    return tree_map_with_path(view, params)


def flatten(params, by_columns=by_rows):
    """-> nested arrays as `flat_like` makes them, with params' values."""
    return fill(flat_like(params, by_columns), params)


def pieces(views):
    """What `flatten` gave -> {"matrices": [...], "vectors": ...}: the same
    memory in long arrays, those that decay as matrices of one row."""
    bases = {array.ndim >= 2: array.base for _, array in tree_leaves(views)}
    if any(base is None for base in bases.values()):
        raise ValueError("pieces: these arrays do not come from flatten")
    found = {}
    if True in bases:
        count = math.ceil(bases[True].size / PIECE)
        found["matrices"] = [part[None, :] for part in np.array_split(bases[True], count)]
    if False in bases:
        found["vectors"] = bases[False]
    return found
