import numpy as np

from npgpt.checking.case import FunctionCase


def penalise_repeats(draw):
    V, count = draw("V", range(1, 8)), draw("count", range(1, 5))
    penalty = draw("penalty", [1.5, 1, 0.5])
    numbers = draw.numbers()
    used = np.zeros(V, bool)
    used[numbers.below(V, count)] = True
    options = {"logits": numbers.normal(V), "penalty": penalty, "used": used}
    return FunctionCase(
        component="penalise_repeats", options=options,
        scale=lambda case: {"logits": 2 * case.options["logits"]},
        call=lambda find, case: {"logits": find("penalise_repeats")(**case.options)},
        expected=lambda case: {"logits": by_definition(**case.options)}, views=True)


def by_definition(logits, used, penalty):
    return penalised(logits, [i for i in range(len(used)) if used[i]], penalty)


def penalised(logits, ids, penalty):
    logits = logits.copy()
    for i in set(ids):
        logits[i] *= penalty ** (1 if logits[i] < 0 else -1)
    return logits
