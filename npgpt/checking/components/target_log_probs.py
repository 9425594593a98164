import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components.cross_entropy import IGNORE
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.checking.laws import (
    gradient_rows_sum_to_zero,
    linear_in_the_upstream_gradient,
    shift_invariant,
)
from npgpt.errors import InputError


def target_log_probs(draw):
    B, T, V = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("V", range(1, 8))
    ignored, regime = draw("ignored", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    targets = numbers.below(V, B, T)
    if ignored:
        targets[numbers.uniform(B, T) < 0.4] = IGNORE
    logits = numbers.normal(B, T, V, std=50.0 if regime == "stress" else 1.0)
    return PairCase(
        component="target_log_probs", inputs={"logits": logits}, options={"targets": targets},
        d_y=numbers.normal(B, T), scale=target_log_probs_scale,
        laws=(shift_invariant("logits"), gradient_rows_sum_to_zero("logits"),
              linear_in_the_upstream_gradient),
        edges=(an_ignored_target, far_logits, targets_outside_the_vocabulary))


def target_log_probs_scale(case):
    """|max| + |z of the target| + log Σe + 1."""
    z, targets = case.inputs["logits"], case.options["targets"]
    counted = targets != IGNORE
    right = np.where(counted, targets, 0)[..., None]
    top = z.max(axis=-1, keepdims=True)
    powers = np.exp(z - top)
    total = powers.sum(axis=-1, keepdims=True)
    terms = np.abs(top) + np.abs(np.take_along_axis(z, right, axis=-1)) + np.log(total) + 1
    one_hot = np.arange(z.shape[-1]) == right
    factor = 1 + np.abs(z).max()
    return {"y": np.where(counted, terms[..., 0], 0),
            "d_logits": np.abs(case.d_y)[..., None] * (factor * powers / total + one_hot)}


def an_ignored_target(package):
    logits = Numbers(1).normal(2, 5)
    y, saved = run(package, "target_log_probs", logits, np.array([3, IGNORE]))
    yield "the second", y[1], 0.0
    grads = back(package, "target_log_probs", np.ones(2), saved)
    yield "its gradient", grads[1], np.zeros(5)


def far_logits(package):
    """They neither overflow nor lose the result."""
    y, _ = run(package, "target_log_probs", np.array([[1e4, 0.0]]), np.array([1]))
    yield "y", y, np.array([-1e4])


def targets_outside_the_vocabulary(package):
    if is_ours(package):
        refused = stops(InputError, run, package, "target_log_probs", np.zeros((1, 4)),
                        np.array([4]))
        yield "whether 4 of 4 is refused", refused, True
