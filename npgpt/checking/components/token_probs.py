import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call, is_ours, stops
from npgpt.errors import InputError


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
        edges=(which_tokens_may_be_drawn, the_sum_is_just_reached,
               infinite_logits_win, no_token_from_nan), result_dtype="float64")


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
    allowed = [i for i in order if logits[i] >= last]
    powers = {i: np.exp((logits[i] - logits[order[0]]) / temperature) for i in allowed}
    total, reached = sum(powers.values()), 0.0
    for i in allowed:
        if top_p is None or reached < top_p or i == order[0]:
            probs[i] = powers[i] / total
        reached += powers[i] / total
    return probs


LOGITS = np.array([1.0, 3.0, 2.0, 3.0, 0.0], np.float32)
ALLOWED = [                                         # settings, the tokens that are left
    ({"temperature": 0}, [1]),                      # of equals the first
    ({"top_k": 1}, [1, 3]),                         # what equals the last stays
    ({"top_k": 99}, [0, 1, 2, 3, 4]),
    ({"top_p": 1e-9}, [1]),                         # the likeliest always stays
    ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
    ({"top_k": 3, "top_p": 0.5}, [1, 3]),
    ({"temperature": 1e-3}, [1, 3]),
    ({"temperature": 5e-324}, [1, 3]),              # the others may overflow to -inf
]


def which_tokens_may_be_drawn(package):
    for settings, allowed in ALLOWED:
        with np.errstate(over="ignore"):
            probs = call(package, "token_probs", LOGITS, **settings)
        yield f"what {settings} leaves", np.flatnonzero(probs), allowed
        yield "whether it is float64", probs.dtype == np.float64, True


def the_sum_is_just_reached(package):
    """top_p stops there."""
    equal = np.array([0.0, 0.0, -np.inf])           # exactly ½ and ½
    probs = call(package, "token_probs", equal, temperature=1.0, top_p=0.5)
    yield "what is left", np.flatnonzero(probs), [0]


def infinite_logits_win(package):
    """As with temperature 0; of two, each half the time."""
    if is_ours(package):
        inf = np.inf
        for settings in {}, {"temperature": 0.3}, {"top_k": 1}, {"top_p": 0.6}:
            probs = call(package, "token_probs", np.array([2.0, inf, -inf, 5.0]), **settings)
            yield f"what {settings} leaves", probs, [0, 1, 0, 0]
        probs = call(package, "token_probs", np.array([inf, 7.0, inf]))
        yield "what two leave", probs, [0.5, 0, 0.5]


def no_token_from_nan(package):
    if is_ours(package):
        for logits in [1.0, np.nan, 2.0], [np.nan], [np.inf, np.nan], [-np.inf, -np.inf]:
            for temperature in 0, 0.9:
                refused = stops(InputError, call, package, "token_probs", np.array(logits),
                                temperature=temperature)
                yield f"whether {logits} are refused at {temperature}", refused, True
