import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.checking.laws import (
    gradient_rows_sum_to_zero,
    linear_in_the_upstream_gradient,
    shift_invariant,
)
from npgpt.errors import InputError

IGNORE = -100


def cross_entropy(draw):
    B, T, V = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("V", range(1, 8))
    ignored, count = draw("ignored", [False, True]), draw("count", [None, 7])
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    targets = numbers.below(V, B, T)
    if ignored:
        targets[numbers.uniform(B, T) < 0.4] = IGNORE
    logits = numbers.normal(B, T, V, std=50.0 if regime == "stress" else 1.0)
    options = {"targets": targets, "count": count}
    return PairCase(
        component="cross_entropy", inputs={"logits": logits}, options=options,
        d_y=numbers.normal(), scale=cross_entropy_scale,
        laws=(shift_invariant("logits"), gradient_rows_sum_to_zero("logits"),
              linear_in_the_upstream_gradient, parts_add_up, ignored_targets_get_nothing),
        edges=(all_targets_ignored, a_vocabulary_of_one, an_even_guess, far_logits,
               targets_outside_the_vocabulary))


def cross_entropy_scale(case):
    """The mean of |max| + |z_y| + log Σe + 1."""
    z, targets = case.inputs["logits"], case.options["targets"]
    counted = targets != IGNORE
    count = case.options["count"] or max(int(counted.sum()), 1)
    right = np.where(counted, targets, 0)[..., None]
    top = z.max(axis=-1, keepdims=True)
    powers = np.exp(z - top)
    total = powers.sum(axis=-1, keepdims=True)
    terms = np.abs(top) + np.abs(np.take_along_axis(z, right, axis=-1)) + np.log(total) + 1
    one_hot = np.arange(z.shape[-1]) == right
    factor = 1 + np.abs(z).max()
    return {"y": np.where(counted, terms[..., 0], 0).sum() / count,
            "d_logits": np.abs(case.d_y) / count * (factor * powers / total + one_hot)}


def parts_add_up(case, compute):
    """Two micro-batches, divided by the whole batch's count, give its loss
    and its gradient."""
    targets, logits = case.options["targets"], case.inputs["logits"]
    count = case.options["count"] or max(int((targets != IGNORE).sum()), 1)

    def part(rows):
        return compute(with_values(case,
            logits=logits[rows], targets=targets[rows], count=count))

    whole = compute(case)
    first, rest = part(slice(0, 1)), part(slice(1, None))
    yield "y", first["y"] + rest["y"], whole["y"]
    yield "d_logits", np.concatenate([first["d_logits"], rest["d_logits"]]), whole["d_logits"]


def ignored_targets_get_nothing(case, compute):
    d_logits = compute(case)["d_logits"][case.options["targets"] == IGNORE]
    yield "d_logits", d_logits, np.zeros_like(d_logits)


def all_targets_ignored(package):
    logits = Numbers(1).normal(2, 3, 5)
    loss, saved = run(package, "cross_entropy", logits, np.full((2, 3), IGNORE))
    yield "y", loss, 0.0
    yield "d_logits", back(package, "cross_entropy", 1.0, saved), np.zeros((2, 3, 5))


def a_vocabulary_of_one(package):
    """It costs nothing."""
    loss, saved = run(package, "cross_entropy", Numbers(2).normal(4, 1), np.zeros(4, int))
    yield "y", loss, 0.0
    yield "d_logits", back(package, "cross_entropy", 1.0, saved), np.zeros((4, 1))


def an_even_guess(package):
    """It costs the logarithm of V."""
    loss, _ = run(package, "cross_entropy", np.zeros((4, 8)), np.arange(4))
    yield "y", loss, np.log(8), 1e-15


def far_logits(package):
    """They neither overflow nor lose the loss."""
    loss, _ = run(package, "cross_entropy", np.array([[1e4, 0.0]]), np.array([1]))
    yield "y", loss, 1e4


def targets_outside_the_vocabulary(package):
    """-100 is ignored, other numbers are no target."""
    if is_ours(package):
        logits = Numbers(3).normal(2, 3, 4)
        for target in -1, -99, -101, 4, 1000:
            for place in 0, 5:
                targets = np.array([[0, 3, IGNORE], [1, 2, 0]])
                targets.flat[place] = target
                refused = stops(InputError, run, package, "cross_entropy", logits, targets)
                yield f"whether {target} is refused", refused, True
