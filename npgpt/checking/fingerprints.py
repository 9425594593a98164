"""Which typical mistake makes the one array out of the other? Each has a fingerprint: a ratio
that is a product of sizes, a sign, swapped axes. related.py has those that need a third array."""

from dataclasses import dataclass
from itertools import combinations, permutations
from math import prod

import numpy as np

from npgpt.checking.guess import alike

# factors that are no size, and where they come from
PLAIN = {2: "counted twice, or is a factor 1/2 missing?",
         3: "counted three times, or is a factor 1/3 missing?",
         1 / 2: "a mean of two where their sum belongs, or is a factor 2 missing?",
         1 / 3: "a mean of three where their sum belongs, or is a factor 3 missing?"}


@dataclass(frozen=True)
class Cause:
    """kind: one word for it; words: what the student is told."""

    kind: str
    words: str


def plain_cause(wrong, right, sizes):
    """What the two arrays show without any others, or None."""
    if np.isnan(wrong).any():
        return Cause("value", f"{np.isnan(wrong).mean():.0%} of the entries are NaN.")
    if not np.isfinite(wrong).all():
        return Cause("value", "Some entries are infinite.")
    if wrong.shape != right.shape:
        return cause_from_shapes(wrong, right, sizes)
    if not right.any():
        return Cause("value", "Every entry should be 0.")
    if not wrong.any():
        return Cause("value", "Every entry is 0: it has not been filled.")
    if alike(wrong, -right):
        return Cause("sign", "Yours is the expected value with the sign reversed.")
    scale = ratio_of(wrong, right)
    if scale and (found := of_the_sizes(abs(scale), sizes)):
        value, question = found
        reversed_too = "" if scale > 0 else " And the sign is reversed."
        because = f", and {value}" if value else ""
        return Cause("scale", f"Every entry is {scale:.4g} times what it should be{because}:"
                     f" {question}{reversed_too}")
    if not ((wrong != 0) & (right != 0)).any():
        return Cause("mask", "Yours is 0 where the expected value is not, and not 0 where it is: a"
                     " mask the wrong way round?")
    for axis in range(right.ndim):
        if alike(wrong, right - right.mean(axis=axis, keepdims=True)):
            return Cause("term", f"The mean over axis {axis} has been subtracted once too often.")
    return cause_from_order(wrong, right, sizes) or cause_by_rows(wrong, right)


def one_difference(wrong, right):
    """Where the two differ, by the same number."""
    off = wrong != right if wrong.shape == right.shape else np.array(False)
    if off.sum() < 2 or right[off].min() == right[off].max():
        return None
    difference = (wrong - right)[off]
    if not alike(difference, np.full_like(difference, difference[0])):
        return None
    return Cause("term", f"Yours is shifted: wherever it differs, it is {abs(difference[0]):.4g}"
                 f" too {'large' if difference[0] > 0 else 'small'}.")


def one_number(wrong, right, sizes):
    """The same number everywhere, where the expected ones differ."""
    if wrong.shape != right.shape or not wrong.size:
        return None
    value = wrong.flat[0]
    if (wrong != value).any() or not np.ptp(right):
        return None
    name = next((f" = {name}" for name, size in sizes.items() if size == value), "")
    return Cause("value", f"Yours is {value:.4g}{name} everywhere, where the expected entries"
                 " differ.")


def cause_by_rows(wrong, right):
    """Each row divided by its own whole number."""
    with np.errstate(all="ignore"):
        counts = np.where(right == 0, 1, right / wrong)
    for axis in range(right.ndim):
        rows = np.moveaxis(counts, axis, 0).reshape(right.shape[axis], -1)
        whole = np.round(rows.max(axis=1))
        several = rows.shape[1] > 1 and 0 < whole.min() < whole.max() < np.inf
        if several and alike(rows, np.broadcast_to(whole[:, None], rows.shape)):
            row = int(whole.argmax())
            return Cause("sum", f"Along axis {axis}, each entry is divided by its own whole number"
                         f" ({row} by {whole[row]:.0f}): a mean where a sum belongs?")
    return None


def ratio_of(wrong, right):
    """The number that all of `right` is multiplied by, or None."""
    scale = float((wrong * right).sum() / (right * right).sum())
    return scale if scale and alike(wrong, scale * right) else None


def of_the_sizes(scale, sizes):
    """0.0667 with B = 3 and T = 5 -> ("0.06667 = 1/15 = 1/(B·T)", "a mean where a sum
    belongs?"), or None."""
    products = [(prod(sizes[name] for name in names), "·".join(names))
                for count in (1, 2, 3) for names in combinations(sizes, count)]
    products = [(number, text) for number, text in products if number > 1]

    def is_about(value):
        return abs(scale - value) <= 1e-9 * value

    for number, text in products:
        group = f"({text})" if "·" in text else text
        for value, equation, question in (
                (number, f"{number} = {text}",
                 f"a sum where a mean belongs, or a division by {text} left out?"),
                (1 / number, f"{scale:.4g} = 1/{number} = 1/{group}",
                 f"a mean where a sum belongs, or a division by {text} too many?"),
                (number ** 0.5, f"{scale:.4g} = √{number} = √{group}",
                 f"a division by √{group} left out?"),
                (number ** -0.5, f"{scale:.4g} = 1/√{number} = 1/√{group}",
                 f"divided by √{group} once too often, or by {group} in its place?")):
            if is_about(value):
                return equation, question
    for value, question in PLAIN.items():
        if is_about(value):
            return "", question
    few = [each for each in products if each[1].count("·") < 2]
    for above, text_above in few:
        for below, text_below in few:
            if above != below and is_about(above / below):
                group = f"({text_below})" if "·" in text_below else text_below
                return (f"{scale:.4g} = {above}/{below} = {text_above}/{group}",
                        f"divided by {text_below}, where {text_above} belongs?")
    for name, size in sizes.items():
        for power, root in ((1, ""), (0.5, "√")) if size > 2 else ():
            quotient = f"({size}/{size - 1})" if root else f"{size}/{size - 1}"
            if is_about((size / (size - 1)) ** power):
                return (f"{scale:.4g} = {root}{quotient}",
                        f"divided by {name} − 1, where {name} belongs?")
    return None


def cause_from_shapes(wrong, right, sizes):
    """Arrays of different shapes."""
    shapes = f"shape {wrong.shape}, expected {right.shape}"
    if wrong.shape == right.shape[::-1] and wrong.ndim == 2 and alike(wrong, right.T):
        return Cause("transposed", f"Yours is the transpose: {shapes}.")
    if wrong.size == right.size and alike(wrong.ravel(), right.ravel()):
        return Cause("shape", f"The right numbers in another shape: {shapes}.")
    for count in range(1, wrong.ndim + 1):
        for axes in combinations(range(wrong.ndim), count):
            summed = wrong.sum(axis=axes)
            if summed.size == right.size and alike(summed.ravel(), right.ravel()):
                return Cause("sum", f"A sum is missing: {shapes}; summed over"
                             f" {axes_in_words(axes)} yours is right.")
    for count in range(1, right.ndim + 1):
        for axes in combinations(range(right.ndim), count):
            for name, reduced in (("summed", right.sum(axis=axes)),
                                  ("averaged", right.mean(axis=axes))):
                if reduced.size == wrong.size and alike(reduced.ravel(), wrong.ravel()):
                    return Cause("sum", f"Yours is {name} over {axes_in_words(axes)} of the"
                                 f" expected value once too often: {shapes}.")
    return cause_from_order(wrong, right, sizes)


def cause_from_order(wrong, right, sizes):
    """The right numbers, in other positions."""
    if wrong.size != right.size or right.ndim < 2:
        return None
    if not alike(np.sort(wrong, axis=None), np.sort(right, axis=None)):
        return None
    for order in permutations(range(right.ndim)):
        moved = right.transpose(order)
        swapped = [axis for axis in range(right.ndim) if order[axis] != axis]
        if swapped and moved.shape == wrong.shape and alike(wrong, moved):
            return Cause("transposed", f"Transposed: {axes_in_words(swapped)} are interchanged.")
    for array, other in ((right, wrong), (wrong, right)):
        for order in permutations(range(array.ndim)):
            if alike(array.transpose(order).ravel(), other.ravel()):
                names = ("the expected value", "yours") if array is right else (
                    "yours", "the expected value")
                return Cause("order", f"The right numbers in the wrong order: with the axes of"
                             f" {names[0]} in the order {order}, then reshaped, one gets"
                             f" {names[1]}. Are axes to be swapped before a reshape?")
    for axis in range(right.ndim):
        for steps in range(1, right.shape[axis]):
            if alike(wrong, np.roll(right, -steps, axis)):
                named = [f", and {steps} = {name}" for name, size in sizes.items()
                         if size == steps]
                return Cause("index", f"The right numbers, shifted by {steps} along axis"
                             f" {axis}{''.join(named[:1])}.")
        if alike(wrong, np.flip(right, axis)):
            return Cause("order", f"The right numbers, in reverse order along axis {axis}.")
    return Cause("order", "The right numbers in the wrong order: is there a reshape where axes"
                 " are to be swapped?")


def axes_in_words(axes):
    numbers = [str(axis) for axis in axes]
    if len(numbers) == 1:
        return f"axis {numbers[0]}"
    return f"axes {', '.join(numbers[:-1])} and {numbers[-1]}"


def part_that_is_wrong(wrong, right):
    """-> axis, its entries, where only some of them are wrong, or None."""
    if wrong.shape != right.shape:
        return None
    off = ~np.isclose(wrong, right, rtol=1e-9, atol=1e-12 * np.abs(right).max())
    for axis in range(off.ndim):
        others = tuple(i for i in range(off.ndim) if i != axis)
        where = np.flatnonzero(off.any(axis=others))
        if len(where) < off.shape[axis]:
            return axis, where
    return None


def in_words(axis, where):
    """"Only entries 0 to 3 of axis 1 are wrong"."""
    where = list(map(int, where))
    if where == list(range(where[0], where[-1] + 1)) and len(where) > 2:
        return f"Only entries {where[0]} to {where[-1]} of axis {axis} are wrong"
    few = ", ".join(map(str, where[:6])) + (", …" if len(where) > 6 else "")
    return f"Only entries {few} of axis {axis} are wrong"


def vague_cause(wrong, right):
    """What can be said where nothing is recognised."""
    if wrong.shape != right.shape:
        return Cause("", f"Yours has shape {wrong.shape}, expected {right.shape}.")
    if scale := ratio_of(wrong, right):
        return Cause("scale", f"Every entry is {scale:.4g} times what it should be.")
    if part := part_that_is_wrong(wrong, right):
        return Cause("", f"{in_words(*part)}.")
    off = ~np.isclose(wrong, right, rtol=1e-9, atol=1e-12 * np.abs(right).max())
    if off.mean() < 1:
        return Cause("", f"{off.sum()} of the {off.size} entries are wrong.")
    return Cause("", "Every entry is wrong.")
