from npgpt.checking.case import FunctionCase


def penalise_repeats(draw):
    V, count = draw("V", range(1, 8)), draw("count", range(1, 5))
    penalty = draw("penalty", [1.5, 1, 0.5])
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V), "penalty": penalty,
               "ids": [int(i) for i in numbers.below(V, count)]}
    return FunctionCase(
        component="penalise_repeats", options=options,
        scale=lambda case: {"logits": 2 * case.options["logits"]},
        call=lambda find, case: {"logits": find("penalise_repeats")(**case.options)},
        expected=lambda case: {"logits": penalised(**case.options)}, views=True)


def penalised(logits, ids, penalty):
    logits = logits.copy()
    for i in set(ids):
        logits[i] *= penalty ** (1 if logits[i] < 0 else -1)
    return logits
