"""Fingerprints of mistakes that a third array shows: a factor or a term of that name is missing,
or is there too often."""

from itertools import combinations

import numpy as np

from npgpt.checking.fingerprints import (
    Cause,
    axes_in_words,
    in_words,
    part_that_is_wrong,
    plain_cause,
)
from npgpt.checking.guess import alike

# how a factor may have been used: words, and what it does to the numbers of an array
POWERS = (("The factor {name} is missing", lambda a: 1 / a),
          ("The factor {name} is there once too often", lambda a: a),
          ("The factor {name}² is missing", lambda a: 1 / (a * a)),
          ("The factor {name}² is too much", lambda a: a * a),
          ("A division by √{name} is missing", lambda a: np.sqrt(np.abs(a))),
          ("It is divided by √{name} once too often", lambda a: 1 / np.sqrt(np.abs(a))))


# what else a factor may be made of, such as the slope of a sigmoid or of a tanh
FORMS = {"1": np.ones_like, "{name}": lambda a: a, "1 − {name}": lambda a: 1 - a,
         "1 − {name}²": lambda a: 1 - a * a, "{name}·(1 − {name})": lambda a: a * (1 - a)}


def cause_from_others(wrong, right, known):
    """What a third array explains. known: name -> array, of this pass and of the forward."""
    for name, other in known.items():
        if other.shape == wrong.shape and wrong.size > 1 and alike(wrong, other):
            return Cause("value", f"Yours is {name}, unchanged.")
        if other.shape == wrong.shape and wrong.size > 1 and alike(wrong, -other):
            return Cause("value", f"Yours is {name} with the sign reversed.")
        if other.ndim == 2 and other.shape == wrong.shape[::-1] and alike(wrong, other.T):
            return Cause("transposed", f"Yours is the transpose of {name}.")
    if wrong.shape == right.shape:
        found = (factor_among(wrong, right, known) or term_among(wrong, right, known)
                 or beside_a_term(wrong, right, known))
        if found:
            return found
    return sum_of_another(wrong, known)


def sum_of_another(wrong, known):
    """A sum over axes of an array, where there is to be another."""
    for name, other in known.items():
        for count in range(1, other.ndim + 1):
            for axes in combinations(range(other.ndim), count):
                for reduce, words in ((np.sum, "summed"), (np.mean, "averaged")):
                    value = reduce(other, axis=axes)
                    if wrong.size == value.size > 1 and alike(wrong.ravel(), value.ravel()):
                        return Cause("axis", f"Yours is {name}, {words} over"
                                     f" {axes_in_words(axes)}.")
    return None


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
        with np.errstate(all="ignore"):
            for words, power in POWERS:
                for factor, more in ((1, ""), (-1, ", and the sign is reversed")):
                    if alike(ratio, factor * power(values)):
                        return Cause("factor", f"{words.format(name=name)}{more}.")
            if found := form_among(ratio, values):
                return Cause("factor", found.format(name=name))
    return None


def form_among(ratio, values):
    """One form of a factor in the place of another, and perhaps a constant."""
    for mine, form in FORMS.items():
        for expected, other in FORMS.items():
            quotient = form(values) / other(values)
            if mine == expected or not np.isfinite(quotient).all() or not quotient.any():
                continue
            scale = float(np.median(ratio / quotient))
            if alike(ratio, scale * quotient) and np.ptp(ratio) > 1e-6 * abs(scale):
                constant = "" if abs(scale - 1) < 1e-9 else f"; besides, {scale:.4g} times as much"
                if expected == "1":
                    return f"The factor {mine} is too much{constant}."
                if mine == "1":
                    return f"The factor {expected} is missing{constant}."
                return f"A factor is {mine} where {expected} belongs{constant}."
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


def beside_a_term(wrong, right, known):
    """One term of two is right: what is wrong with the other?"""
    for name, term in known.items():
        if name.startswith("d_") and term.shape == right.shape and not alike(term, right):
            found = factor_among(wrong - term, right - term, known)
            if found:
                return Cause(found.kind, f"Beside the term {name}: {found.words}")
    return None


def fits(other, right):
    """Can the array be a factor or a term of the other?"""
    if not np.isfinite(other).all():
        return False
    try:
        return np.broadcast_shapes(other.shape, right.shape) == right.shape
    except ValueError:
        return False


def cause_of_part(wrong, right, sizes, known):
    """The cause in a part, where the rest is right."""
    part = part_that_is_wrong(wrong, right)
    if part is None or len(part[1]) == 0:
        return None
    axis, where = part
    wrong, right = wrong.take(where, axis), right.take(where, axis)
    cause = plain_cause(wrong, right, sizes) or cause_from_others(wrong, right, {
        name: other.take(where, axis) for name, other in known.items()
        if other.ndim > axis and other.shape[axis] > max(where)})
    return cause and Cause(cause.kind, f"{in_words(axis, where)}. There: {cause.words}")
