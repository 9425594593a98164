"""Where two implementations part: the first value that differs, step by
step, forward and then backward."""

from dataclasses import dataclass

import numpy as np

from npgpt.checking.arms import OURS
from npgpt.checking.budgets import COMPOSITE, UNIT, error_between, measured, share
from npgpt.checking.case import is_pair, mapped
from npgpt.checking.layouts import constant_along_the_first_axis, laid_out
from npgpt.checking.replacing import replaced
from npgpt.checking.steps import Key, Recorder
from npgpt.speed import threads


@dataclass(frozen=True)
class Difference:
    """Of two arms, the first value that differs beyond its budget."""

    key: Key
    error: float
    budget: float
    index: tuple
    guess: str

    @property
    def component(self):
        """The pair that the step belongs to."""
        return self.key.function.removesuffix("_backward")

    def __str__(self):
        way = "backward" if "_backward" in self.key.calls else "forward"
        step = "before its first step"
        if self.key.step:
            step = f"step ({self.key.step}) {self.key.words}"
        size = (f"in kind: it is {self.guess}" if "promoted" in self.guess else
                "in shape or in what is finite" if not np.isfinite(self.error) else
                f"by {self.error:.2g}, where it must be the same" if self.budget == 0 else
                f"by {self.error:.2g}, {share(self.error, self.budget):.2g} times its budget"
                f" of {self.budget:.1g}, most at {list(self.index)}")
        name = self.key.name.replace("returns.", "result ")
        return (f"{way}, {self.key.function}, {step}: {name} differs {size}\n"
                f"  inside {self.key.calls}\n  it looks {self.guess}")


def record(arm, case, dtype="float64", layout=None, leave=None):
    """-> {Key: value}, every step's values while the arm computes; `leave`
    says what is kept of a value, if not the numbers."""
    recorder = Recorder(arm.packages, leave or arm.leave)
    own = arm.native(case, dtype)
    if layout:
        own = laid_out(own, layout, arm)
    with replaced("npgpt", [(threads.thread_pool, lambda *_: SameThread)]):
        recorder.run(lambda: arm.results(own))
    return recorder.values


class SameThread:
    """A pool that works where the interpreter can be listened to."""

    @staticmethod
    def map(function, *rows):
        return iter(list(map(function, *rows)))


def first_difference(case, suspect, trusted, layout=None):
    """-> the first Difference of two arms over a case, or None. layout: of
    the suspect's arrays (see layouts.py)."""
    if layout == "broadcast":
        case = mapped(case, constant_along_the_first_axis)
    wrong, right = record(suspect, case, layout=layout), record(trusted, case)
    common = [key for key in right if key in wrong or not_handed_on(key, wrong, right)]
    # a step's label and a variable's name say what it is; elsewhere by chance
    if not {*suspect.packages, *trusted.packages} <= OURS:
        common = [key for key in common if key.is_border or wrong[key].shape == right[key].shape]
        if all(key in wrong and alike(wrong[key], right[key])
               for key in common if key.is_border):
            return None
    extra = next((key for key in wrong if not_handed_on(key, right, wrong)), None)
    if extra is None and all(
            key in wrong and error_between(wrong[key], right[key])[0] == 0 for key in common):
        return None
    if extra is not None:
        before = list(wrong)[:list(wrong).index(extra)]
        common = [key for key in common if key in before]
    sizes = measured(case, trusted, lambda nudged: record(trusted, nudged),
                     {key: right[key] for key in common})
    for key in common:
        if key not in wrong:
            return Difference(key, np.inf, 0.0, (), "handed on by one alone")
        error, index = error_between(wrong[key], right[key])
        budget = COMPOSITE * UNIT["float64"] * sizes[key]
        if not error <= budget:
            return Difference(key, error, budget, index, guess(wrong[key], right[key]))
    if extra is not None:
        return Difference(extra, np.inf, 0.0, (), "handed on by one alone")
    return None


def not_handed_on(key, wrong, right):
    """True for an argument that one side gives and the other leaves out of
    the same call."""
    call, _, argument = key.name.partition("(")
    if not argument or key in wrong:
        return False
    return any(other.calls == key.calls and other.name.startswith(f"{call}(") and other in right
               for other in wrong)


def first_other_dtype(case, arm, dtype):
    """-> the first step of an arm whose value is of another float type."""
    kinds = record(arm, case, dtype, leave=lambda value: str(getattr(value, "dtype", "")))
    wanted = None if is_pair(case) else case.result_dtype
    for key, kind in kinds.items():
        kind = kind.removeprefix("torch.")
        if "float" in kind and kind != (wanted or dtype):
            return Difference(key, np.inf, 0.0, (), f"promoted: {kind}, not {dtype}")
    return None


def guess(wrong, right):
    """What kind of mistake makes the one out of the other."""
    if wrong.shape != right.shape:
        return guess_from_shapes(wrong, right)
    if np.isnan(wrong).any():
        return f"like a number that is none (NaN) in {np.isnan(wrong).mean():.0%} of the places"
    if not np.isfinite(wrong).all() or not np.isfinite(right).all():
        return "masked in other places"
    if not wrong.any():
        return "all zero"
    for axes in ((-1, -2), (-2, -3), (-1, -3)):
        if wrong.ndim >= -min(axes) and alike(wrong, right.swapaxes(*axes)):
            return f"transposed: axes {axes[0]} and {axes[1]} have changed places"
    scale = (wrong * right).sum() / (right * right).sum() if right.any() else np.nan
    if np.isfinite(scale) and alike(wrong, scale * right):
        opposite = abs(scale + 1) < 1e-9
        return "of the opposite sign" if opposite else f"scaled by a constant, {scale:.6g}"
    for axis in range(wrong.ndim):
        for what, summed in (("summed", right.sum(axis=axis, keepdims=True)),
                             ("averaged", right.mean(axis=axis, keepdims=True))):
            if wrong.shape[axis] > 1 and alike(wrong, np.broadcast_to(summed, wrong.shape)):
                return f"{what} over one axis too many, axis {axis}"
    if alike(wrong - right, np.full_like(right, (wrong - right).flat[0])):
        return f"shifted by a constant, {(wrong - right).flat[0]:.6g}"
    if right.size and np.sort(wrong, axis=None).shape and alike(
            np.sort(wrong, axis=None), np.sort(right, axis=None)):
        return "right but for the order: the same numbers in other places"
    return guess_from_place(wrong, right)


def guess_from_shapes(wrong, right):
    if wrong.shape == right.shape[::-1] and alike(wrong, right.T):
        return f"transposed: {wrong.shape}, not {right.shape}"
    for axis in range(right.ndim):
        for keep in (False, True):
            summed = right.sum(axis=axis, keepdims=keep)
            if summed.shape == wrong.shape and alike(wrong, summed):
                return f"summed over one axis too many, axis {axis}"
    return f"of another shape, {wrong.shape}, not {right.shape}"


def guess_from_place(wrong, right):
    """Right in most places: along which axis is it wrong, and where?"""
    off = ~np.isclose(wrong, right, rtol=1e-9, atol=0)
    for axis in range(off.ndim):
        others = tuple(i for i in range(off.ndim) if i != axis)
        where = np.flatnonzero(off.any(axis=others))
        if len(where) < off.shape[axis]:
            return f"right but for {list(map(int, where))} on axis {axis}"
    if not right.any():
        return "wrong everywhere: it should be 0"
    error = np.abs(wrong - right).max() / np.abs(right).max()
    return f"wrong everywhere, by {error:.1%} of the largest value"


def alike(a, b):
    """Equal to nine digits of the largest."""
    size = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    if a.shape != b.shape or not np.isfinite(size):
        return a.shape == b.shape and np.array_equal(a, b)
    return bool(np.abs(a - b).max(initial=0) <= 1e-9 * size)
