import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.draw import REGIMES
from npgpt.checking.edges import call, is_ours, stops
from npgpt.errors import InputError


def log_prob(draw):
    V, regime = draw("V", range(1, 8)), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V, std=50.0 if regime == "stress" else 1.0),
               "token": int(numbers.below(V, 1)[0])}
    return FunctionCase(
        component="log_prob", options=options,
        scale=lambda case: {"log_prob": 1 + 2 * np.abs(case.options["logits"]).max()},
        call=lambda find, case: {"log_prob": find("log_prob")(**case.options)},
        expected=lambda case: {"log_prob": log_prob_by_sums(**case.options)},
        edges=(an_infinite_logit_is_certain,))


def log_prob_by_sums(logits, token):
    """Minus the log of Σ e^(z − z of the token)."""
    return -float(np.logaddexp.reduce(logits - logits[token]))


def an_infinite_logit_is_certain(package):
    if is_ours(package):
        logits = np.array([3.0, np.inf, 0.0])
        for token, wanted in enumerate([-np.inf, 0.0, -np.inf]):
            yield f"of token {token}", call(package, "log_prob", logits, token), wanted
        refused = stops(InputError, call, package, "log_prob", np.array([np.nan, 1.0]), 1)
        yield "whether NaN is refused", refused, True
