import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.components.draw_token import token_by_definition
from npgpt.checking.components.token_probs import probs_by_definition
from npgpt.checking.edges import call, is_ours, stops
from npgpt.errors import InputError


def sample_token(draw):
    V, k = draw("V", range(2, 7)), draw("top_k", [None, 2])
    p, temperature = draw("top_p", [None, 0.7]), draw("temperature", [None, 1.5])
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V), "u": float(numbers.uniform(1)[0]),
               "top_k": k, "top_p": p}
    if temperature is not None:
        options["temperature"] = temperature
    return FunctionCase(
        component="sample_token", options=options,
        scale=lambda case: {"token": 0.0},
        call=lambda find, case: {"token": float(find("sample_token")(**case.options))},
        expected=lambda case: {"token": sample_by_definition(**case.options)},
        edges=(the_infinite_logit_is_drawn, no_token_from_nan), discrete=True)


def sample_by_definition(logits, u, **settings):
    return token_by_definition(probs_by_definition(logits, **settings), u)


def the_infinite_logit_is_drawn(package):
    if is_ours(package):
        for temperature in 0, 0.4, 3.0:
            for u in 0.0, 0.5, 0.99:
                token = call(package, "sample_token", np.array([9.0, -np.inf, np.inf, 1.0]), u,
                             temperature=temperature)
                yield f"the token at {temperature} and {u}", token, 2


def no_token_from_nan(package):
    if is_ours(package):
        for temperature in 0, 0.4:
            refused = stops(InputError, call, package, "sample_token",
                            np.array([0.0, np.nan, 4.0]), 0.3, temperature=temperature)
            yield f"whether NaN is refused at {temperature}", refused, True
