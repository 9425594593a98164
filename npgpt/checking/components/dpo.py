import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def dpo(draw):
    B, T, count = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("count", [None, 7])
    beta, regime = draw("beta", [0.1, 0.5, 2.0]), draw("regime", REGIMES)
    numbers = draw.numbers()
    std = 20.0 if regime == "stress" else 1.0
    return PairCase(
        component="dpo", inputs={"log_probs": -np.abs(numbers.normal(B, 2, T, std=std))},
        options={"reference": -np.abs(numbers.normal(B, 2, std=std)), "beta": beta,
                 "count": count},
        d_y=numbers.normal(), scale=dpo_scale,
        laws=(linear_in_the_upstream_gradient, parts_add_up, only_the_difference_counts),
        edges=(policy_is_the_reference, far_margins))


def dpo_scale(case):
    """A margin's error moves the loss and the sigmoid by as much, at most."""
    beta = case.options["beta"]
    terms = np.abs(case.inputs["log_probs"]).sum(axis=-1) + np.abs(case.options["reference"])
    terms = 1 + beta * terms.sum(axis=-1)                     # (B,)
    count = case.options["count"] or len(terms)
    margins = beta * np.diff(
        (case.inputs["log_probs"].sum(axis=-1) - case.options["reference"])[:, ::-1])[:, 0]
    wrong = np.exp(-np.logaddexp(0, margins))                 # (B,)
    size = beta * np.abs(case.d_y) / count * wrong * terms
    return {"y": terms.sum() / count,
            "d_log_probs": np.broadcast_to(
                size[:, None, None], case.inputs["log_probs"].shape)}


def parts_add_up(case, compute):
    """Two parts, divided by the whole batch's count, give its loss and its gradient."""
    log_probs, reference = case.inputs["log_probs"], case.options["reference"]
    count = case.options["count"] or len(log_probs)

    def part(rows):
        return compute(with_values(case, log_probs=log_probs[rows], reference=reference[rows],
                                   count=count))

    whole, first, rest = compute(case), part(slice(0, 1)), part(slice(1, None))
    yield "y", first["y"] + rest["y"], whole["y"]
    both = np.concatenate([first["d_log_probs"], rest["d_log_probs"]])
    yield "d_log_probs", both, whole["d_log_probs"]


def only_the_difference_counts(case, compute):
    """The same on both answers changes nothing."""
    shifted = with_values(case, reference=case.options["reference"] - 3.0)
    before, after = compute(case), compute(shifted)
    for name in before:
        yield name, after[name], before[name], shifted


def policy_is_the_reference(package):
    """ln 2, and half of beta up and down."""
    log_probs = -np.abs(Numbers(1).normal(3, 2, 4))
    loss, saved = run(package, "dpo", log_probs, log_probs.sum(axis=-1), 0.5)
    yield "y", loss, np.log(2), 1e-15
    wanted = np.broadcast_to(np.array([-0.25, 0.25])[:, None] / 3, (3, 2, 4))
    yield "d_log_probs", back(package, "dpo", 1.0, saved), wanted, 1e-15


def far_margins(package):
    """They do not overflow: all wrong costs the margin, all right nothing."""
    log_probs = np.array([[[-2000.0], [0.0]], [[0.0], [-2000.0]]])
    loss, saved = run(package, "dpo", log_probs, np.zeros((2, 2)), 1.0, 1)
    yield "y", loss, 2000.0
    grads = back(package, "dpo", 1.0, saved)
    yield "d_log_probs", grads, np.array([[[-1.0], [1.0]], [[0.0], [0.0]]])
