"""Which typical mistake makes the one array out of the other? Each has a fingerprint: a ratio
that is a product of sizes, a sign, swapped axes, a term that is missing."""

from dataclasses import dataclass
from itertools import combinations, permutations
from math import prod

import numpy as np

from npgpt.checking.guess import alike

# how a factor may have been used: words, and what it does to the numbers of an array
POWERS = (("the factor {name} is missing", lambda a: 1 / a),
          ("the factor {name} is there once too often", lambda a: a),
          ("the factor {name}² is missing", lambda a: 1 / (a * a)),
          ("the factor {name}² is too much", lambda a: a * a),
          ("the factor 1 − {name} is missing", lambda a: 1 / (1 - a)),
          ("the factor 1 − {name} is too much", lambda a: 1 - a),
          ("a division by √{name} is missing", np.sqrt),
          ("divided by √{name} once too often", lambda a: 1 / np.sqrt(a)))


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
        return cause_from_shapes(wrong, right)
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
        return Cause("scale", f"Every entry is {scale:.4g} times what it should be, and {value}:"
                     f" {question}{reversed_too}")
    return cause_from_order(wrong, right)


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
                 f"divided by √{group} once too often?")):
            if is_about(value):
                return equation, question
    few = [each for each in products if each[1].count("·") < 2]
    for above, text_above in few:
        for below, text_below in few:
            if above != below and is_about(above / below):
                group = f"({text_below})" if "·" in text_below else text_below
                return (f"{scale:.4g} = {above}/{below} = {text_above}/{group}",
                        f"divided by {text_below}, where {text_above} belongs?")
    return None


def cause_from_shapes(wrong, right):
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
    return cause_from_order(wrong, right)


def cause_from_order(wrong, right):
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
    for order in permutations(range(wrong.ndim)):
        if alike(wrong.transpose(order).ravel(), right.ravel()):
            return Cause("order", "The right numbers in the wrong order: reshaped before the axes"
                         f" are in the order {order}?")
    return Cause("order", "The right numbers in the wrong order: axes swapped before a reshape, or"
                 " after it?")


def axes_in_words(axes):
    numbers = [str(axis) for axis in axes]
    if len(numbers) == 1:
        return f"axis {numbers[0]}"
    return f"axes {', '.join(numbers[:-1])} and {numbers[-1]}"


def cause_from_others(wrong, right, known):
    """What a third array explains. known: name -> array, of this pass and of the forward."""
    for name, other in known.items():
        if other.shape == wrong.shape and wrong.size > 1 and alike(wrong, other):
            return Cause("value", f"Yours is {name}, unchanged.")
        if other.shape == wrong.shape and wrong.size > 1 and alike(wrong, -other):
            return Cause("value", f"Yours is {name} with the sign reversed.")
    if wrong.shape != right.shape:
        return None
    return factor_among(wrong, right, known) or term_among(wrong, right, known)


def factor_among(wrong, right, known):
    """A factor that is missing, or that is there too often."""
    filled = right != 0
    if (wrong[~filled] != 0).any() or not filled.any():
        return None
    ratio = wrong[filled] / right[filled]
    for name, other in known.items():
        if not fits(other, right):
            continue
        values = np.broadcast_to(other, right.shape)[filled]
        for words, power in POWERS:
            with np.errstate(all="ignore"):
                expected = power(values)
            for sign, more in ((1, ""), (-1, ", and the sign is reversed")):
                if np.isfinite(expected).all() and alike(ratio, sign * expected):
                    return Cause("factor", f"{words.format(name=name)}{more}.".capitalize()
                                 if name.islower() else f"{words.format(name=name)}{more}.")
    return None


def term_among(wrong, right, known):
    """A term that is missing, that is there twice, or that has the other sign."""
    difference = wrong - right
    size = np.abs(right).max()
    for name, other in known.items():
        if not fits(other, right) or not other.any():
            continue
        for count, words in ((-1, f"Yours is the expected value without the term {name}."),
                             (1, f"The term {name} is there once too often, or is missing with a"
                              " minus."),
                             (-2, f"The term {name} has the wrong sign."),
                             (2, f"The term −{name} has the wrong sign.")):
            term = np.broadcast_to(count * other, right.shape)
            if np.abs(difference - term).max() <= 1e-9 * max(size, np.abs(term).max()):
                return Cause("term", words)
    return None


def fits(other, right):
    """Can the array be a factor or a term of the other?"""
    if not np.isfinite(other).all():
        return False
    try:
        return np.broadcast_shapes(other.shape, right.shape) == right.shape
    except ValueError:
        return False


def vague_cause(wrong, right):
    """What can be said where nothing is recognised."""
    if wrong.shape != right.shape:
        return Cause("", f"Yours has shape {wrong.shape}, expected {right.shape}.")
    if scale := ratio_of(wrong, right):
        return Cause("scale", f"Every entry is {scale:.4g} times what it should be.")
    off = ~np.isclose(wrong, right, rtol=1e-9, atol=1e-12 * np.abs(right).max())
    for axis in range(off.ndim):
        others = tuple(i for i in range(off.ndim) if i != axis)
        where = np.flatnonzero(off.any(axis=others))
        if len(where) < off.shape[axis]:
            return Cause("", f"Only {'row' if axis == 0 else 'entries'}"
                         f" {', '.join(map(str, where))} of axis {axis} are wrong.")
    if off.mean() < 1:
        return Cause("", f"{off.sum()} of the {off.size} entries are wrong.")
    return Cause("", "Every entry is wrong.")
