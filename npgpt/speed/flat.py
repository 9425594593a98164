"""Flat: all of a model's numbers in two long vectors.

AdamW does some fourteen small things to each tensor; on the fifty tensors
of a small model half of that is the interpreter's time. The update itself
is `adamw_step` as it stands: it is handed other arrays, which share their
memory with the nested ones. Element by element, so the bits are the same."""

import math

import numpy as np

from npgpt.speed.threads import fill
from npgpt.tree import leaves, rebuild

PIECE = 2**17  # numbers: a piece, its gradient and moments about fill a core's cache


def flat_like(params, turned=False):
    """-> nested arrays shaped like params, not filled: views of one long
    vector for all that has two or more dimensions, so decays, and of
    another for the rest. turned: the blocks' matrices with no more columns
    than rows lie column after column, which makes their products faster."""
    stores, starts = {}, {True: 0, False: 0}
    for decays in (True, False):
        arrays = [a for _, a in leaves(params) if (a.ndim >= 2) == decays]
        stores[decays] = np.empty(
            sum(a.size for a in arrays), arrays[0].dtype)

    def view(name, array):
        decays = array.ndim >= 2
        start = starts[decays]
        starts[decays] += array.size
        numbers = stores[decays][start:start + array.size]
        if (turned and decays and name.startswith("blocks.")
                and array.shape[0] >= array.shape[1]):
            return numbers.reshape(array.T.shape).T
        return numbers.reshape(array.shape)

    return rebuild(params, view)


def flatten(params, turned=False):
    """-> nested arrays as `flat_like` makes them, with params' values."""
    return fill(flat_like(params, turned), params)


def pieces(views):
    """What `flatten` gave -> {"matrices": [...], "vectors": ...}: the same
    memory in long arrays, those that decay as matrices of one row."""
    bases = {array.ndim >= 2: array.base for _, array in leaves(views)}
    if any(base is None for base in bases.values()):
        raise ValueError("pieces: these arrays do not come from flatten")
    matrices, vectors = bases[True], bases[False]
    count = math.ceil(matrices.size / PIECE)
    return {"matrices": [part[None, :]
                         for part in np.array_split(matrices, count)],
            "vectors": vectors}
