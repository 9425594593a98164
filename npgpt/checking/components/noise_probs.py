import numpy as np

from npgpt.checking.case import FunctionCase, with_values
from npgpt.checking.edges import call


def noise_probs(draw):
    V, power = draw("V", range(1, 9)), draw("power", [None, 0.0, 0.5, 1.0])
    numbers = draw.numbers()
    options = {"counts": 1.0 + numbers.below(1000, V)}
    options |= {} if power is None else {"power": power}
    return FunctionCase(
        component="noise_probs", options=options,
        call=lambda find, case: {"probs": find("noise_probs")(**case.options)},
        expected=by_ratios, scale=lambda case: {"probs": 4.0}, laws=(any_unit_will_do,),
        edges=(as_in_the_paper, as_often_as_they_occur))


def by_ratios(case):
    """The reciprocal of the sum of ratios to each word."""
    counts, power = case.options["counts"], case.options.get("power", 3 / 4)
    return {"probs": np.array([1 / sum((other / count) ** power for other in counts)
                               for count in counts])}


def any_unit_will_do(case, compute):
    """Counts ten times as large are the same noise."""
    more = compute(with_values(case, counts=10 * case.options["counts"]))
    yield "probs", more["probs"], compute(case)["probs"]


def as_in_the_paper(package):
    """A word that occurs 16 times as often is drawn 8 times as often."""
    yield "probs", call(package, "noise_probs", np.array([1.0, 16.0])), [1 / 9, 8 / 9], 1e-15


def as_often_as_they_occur(package):
    yield "probs", call(package, "noise_probs", np.array([1.0, 3.0]), 1.0), [0.25, 0.75]
