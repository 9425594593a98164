import numpy as np

from npgpt.checking.case import FunctionCase


def token_probs(draw):
    V = draw("V", range(1, 9))
    temperature = draw("temperature", [None, 0, 0.5, 2.0])
    top_k, top_p = draw("top_k", [None, 1, 3, 20]), draw("top_p", [None, 0.3, 0.9, 1.0])
    ties = draw("ties", [False, True])
    numbers = draw.numbers()
    logits = numbers.normal(V, std=2.0)
    options = {"logits": np.round(logits) if ties else logits, "top_k": top_k, "top_p": top_p}
    if temperature is not None:
        options["temperature"] = temperature
    return FunctionCase(
        component="token_probs", options=options, scale=probs_scale,
        call=lambda find, case: {"probs": find("token_probs")(**case.options)},
        expected=lambda case: {"probs": probs_by_definition(**case.options)},
        result_dtype="float64")


def probs_scale(case):
    temperature = case.options.get("temperature", 0.8)
    return {"probs": 1 + np.abs(case.options["logits"]).max() / (temperature or 1)}


def probs_by_definition(logits, temperature=0.8, top_k=None, top_p=None):
    """One token after the other, from the likeliest down."""
    V = len(logits)
    order = sorted(range(V), key=lambda i: (-logits[i], i))
    probs = np.zeros(V)
    if temperature == 0:
        probs[order[0]] = 1.0
        return probs
    last = logits[order[min(top_k or V, V) - 1]]
    kept = [i for i in order if logits[i] >= last]
    powers = {i: np.exp((logits[i] - logits[order[0]]) / temperature) for i in kept}
    total, reached = sum(powers.values()), 0.0
    for i in kept:
        if top_p is None or reached < top_p or i == order[0]:
            probs[i] = powers[i] / total
        reached += powers[i] / total
    return probs
