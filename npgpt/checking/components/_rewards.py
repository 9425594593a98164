"""What the cases of GRPO's losses share."""

import numpy as np

from npgpt.checking.case import with_values


def gains_and_counted(draw):
    """-> gains (B, G, T), counted like it, count, numbers; the last answer may be empty."""
    B, G, T = draw("B", range(1, 4)), draw("G", range(1, 4)), draw("T", range(1, 5))
    count, empty = draw("count", [None, 7]), draw("empty", [False, True])
    numbers = draw.numbers()
    lengths = 1 + numbers.below(T, B, G)
    if empty:
        lengths[-1, -1] = 0
    return numbers.normal(B, G, T), np.arange(T) < lengths[..., None], count, numbers


def questions_add_up(case, compute):
    """Two parts, divided by the whole batch's count, give its loss and its gradient."""
    gains, counted = case.inputs["gains"], case.options["counted"]
    count = case.options["count"] or len(gains)

    def part(rows):
        return compute(with_values(
            case, gains=gains[rows], counted=counted[rows], count=count))

    whole, first, rest = compute(case), part(slice(0, 1)), part(slice(1, None))
    yield "y", first["y"] + rest["y"], whole["y"]
    yield "d_gains", np.concatenate([first["d_gains"], rest["d_gains"]]), whole["d_gains"]


def only_answers_count(case, compute):
    """What stands where no answer is changes nothing, and gets no gradient."""
    counted = case.options["counted"]
    other = with_values(case, gains=np.where(counted, case.inputs["gains"], 5.0))
    before, after = compute(case), compute(other)
    yield "y", after["y"], before["y"]
    yield "d_gains", after["d_gains"][~counted], np.zeros((~counted).sum())
