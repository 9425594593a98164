"""What kind of mistake makes the one array out of the other."""

from itertools import combinations
from math import prod

import numpy as np


def guess(wrong, right, sizes=None, within=1e-9):
    """A few words: transposed, scaled by a constant, … sizes: {"B": 2, "T": 3, …}, the
    numbers that a constant may come from. within: how far apart, of the largest, two arrays
    may lie and be called equal."""
    def alike(a, b):
        return equal(a, b, within)

    if wrong.shape != right.shape:
        return guess_from_shapes(wrong, right, alike)
    if np.isnan(wrong).any():
        return f"NaN in {np.isnan(wrong).mean():.0%} of its entries"
    if not np.isfinite(wrong).all() or not np.isfinite(right).all():
        return "masked at other positions"
    if not wrong.any():
        return "all zero"
    for axes in ((-1, -2), (-2, -3), (-1, -3)):
        if wrong.ndim >= -min(axes) and alike(wrong, right.swapaxes(*axes)):
            return f"transposed: axes {axes[0]} and {axes[1]} are swapped"
    scale = (wrong * right).sum() / (right * right).sum() if right.any() else np.nan
    if np.isfinite(scale) and alike(wrong, scale * right):
        if abs(scale + 1) < within:
            return "of the opposite sign"
        return f"scaled by a constant, {constant(scale, sizes, within)}"
    for axis in range(wrong.ndim):
        for what, summed in (("summed", right.sum(axis=axis, keepdims=True)),
                             ("averaged", right.mean(axis=axis, keepdims=True))):
            if wrong.shape[axis] > 1 and alike(wrong, np.broadcast_to(summed, wrong.shape)):
                return f"{what} over one axis too many, axis {axis}"
    if alike(wrong - right, np.full_like(right, (wrong - right).flat[0])):
        return f"shifted by a constant, {(wrong - right).flat[0]:.6g}"
    if right.size and np.sort(wrong, axis=None).shape and alike(
            np.sort(wrong, axis=None), np.sort(right, axis=None)):
        return "the right numbers in the wrong order"
    return guess_from_place(wrong, right, within)


def constant(scale, sizes, within):
    """0.166667 with B = 2 and T = 3 -> "1/6 = 1/(B·T): a mean for a sum?"."""
    for count in (1, 2, 3):
        for names in combinations(sizes or {}, count):
            product, text = prod(sizes[name] for name in names), "·".join(names)
            several = f"({text})" if count > 1 else text
            for value, found in (
                    (product, f"{product} = {text}: a sum for a mean?"),
                    (1 / product, f"1/{product} = 1/{several}: a mean for a sum?"),
                    (product ** 0.5, f"√{product} = √{several}: a division left out?"),
                    (product ** -0.5, f"1/√{product} = 1/√{several}: a division too many?")):
                if product > 1 and abs(scale - value) <= within * value:
                    return found
    return f"{scale:.6g}"


def guess_from_shapes(wrong, right, alike):
    if wrong.shape == right.shape[::-1] and alike(wrong, right.T):
        return f"transposed: {wrong.shape}, not {right.shape}"
    for axis in range(right.ndim):
        for keepdims in (False, True):
            summed = right.sum(axis=axis, keepdims=keepdims)
            if summed.shape == wrong.shape and alike(wrong, summed):
                return f"summed over one axis too many, axis {axis}"
    return f"of another shape, {wrong.shape}, not {right.shape}"


def guess_from_place(wrong, right, within):
    """Right in most entries: on which axis is it wrong, and where?"""
    off = ~np.isclose(wrong, right, rtol=within, atol=0)
    for axis in range(off.ndim):
        others = tuple(i for i in range(off.ndim) if i != axis)
        where = np.flatnonzero(off.any(axis=others))
        if len(where) < off.shape[axis]:
            return f"right except for {list(map(int, where))} on axis {axis}"
    if not right.any():
        return "wrong everywhere: it should be 0"
    error = np.abs(wrong - right).max() / np.abs(right).max()
    return f"wrong everywhere, by {error:.1%} of the largest value"


def alike(a, b):
    """Equal to nine digits of the largest."""
    return equal(a, b, 1e-9)


def equal(a, b, within):
    size = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    if a.shape != b.shape or not np.isfinite(size):
        return a.shape == b.shape and np.array_equal(a, b)
    return bool(np.abs(a - b).max(initial=0) <= within * size)
