import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def clipped_gains(draw):
    B, G, T = draw("B", range(1, 3)), draw("G", range(1, 4)), draw("T", range(1, 5))
    clip, beta = draw("clip", [0.2, 0.4]), draw("beta", [0.3, 0.0])
    regime, near = draw("regime", REGIMES), draw("reference", [True, False])
    numbers = draw.numbers()
    log_probs = -0.5 * np.abs(numbers.normal(B, G, T))
    # far from where the ratio is clipped, on both sides: at log 0.6, 0.8, 1.2 and 1.4
    moves = np.array([0.0, -0.09, 0.09, -1.5, 1.5])
    if regime == "stress":
        moves = np.array([0.0, -6.0, 6.0])
    moved = moves[numbers.below(len(moves), B, G, T)]
    options = {"old": log_probs - moved, "advantages": numbers.normal(B, G), "clip": clip,
               "reference": None, "beta": beta}
    if near:
        options["reference"] = log_probs + numbers.normal(B, G, T)
    return PairCase(
        component="clipped_gains", inputs={"log_probs": log_probs}, options=options,
        d_y=numbers.normal(B, G, T), scale=clipped_gains_scale,
        laws=(linear_in_the_upstream_gradient,),
        edges=(as_it_was_drawn, where_it_is_clipped, no_distance_from_itself))


def clipped_gains_scale(case):
    now, options = case.inputs["log_probs"], case.options
    size = np.abs(options["advantages"])[..., None]
    ratios = np.exp(now - options["old"])
    terms = size * ratios * (1 + np.abs(now) + np.abs(options["old"]))
    pulled = 0.0
    if options["reference"] is not None:
        between = np.abs(now) + np.abs(options["reference"])
        far = np.exp(options["reference"] - now)
        pulled = options["beta"] * (far * (1 + between) + between + 1)
    return {"y": terms + size + pulled, "d_log_probs": np.abs(case.d_y) * (terms + pulled)}


def as_it_was_drawn(package):
    """At once after drawing a ratio is 1: a gain is the advantage, and its slope too."""
    log_probs, sizes = -np.abs(Numbers(1).normal(1, 2, 3)), np.array([[2.0, -3.0]])
    gains, saved = run(package, "clipped_gains", log_probs, log_probs, sizes)
    wanted = np.broadcast_to(sizes[..., None], (1, 2, 3))
    yield "y", gains, wanted
    yield "d_log_probs", back(package, "clipped_gains", np.ones((1, 2, 3)), saved), wanted


def where_it_is_clipped(package):
    """Twice and half as likely, for a good and for a bad answer: only what has already gone
    the right way too far stops."""
    log_probs = np.log(np.array([[[0.4, 0.1], [0.4, 0.1]]]))
    old, sizes = np.full((1, 2, 2), np.log(0.2)), np.array([[1.0, -1.0]])
    gains, saved = run(package, "clipped_gains", log_probs, old, sizes, 0.25)
    yield "y", gains, np.array([[[1.25, 0.5], [-2.0, -0.75]]]), 1e-15
    grads = back(package, "clipped_gains", np.ones((1, 2, 2)), saved)
    yield "d_log_probs", grads, np.array([[[0.0, 0.5], [-2.0, 0.0]]]), 1e-15


def no_distance_from_itself(package):
    log_probs = -np.abs(Numbers(2).normal(1, 1, 3))
    gains, saved = run(package, "clipped_gains", log_probs, log_probs, np.zeros((1, 1)),
                       reference=log_probs, beta=0.5)
    yield "y", gains, np.zeros((1, 1, 3))
    grads = back(package, "clipped_gains", np.ones((1, 1, 3)), saved)
    yield "d_log_probs", grads, np.zeros((1, 1, 3))
