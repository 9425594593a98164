import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call


def draw_token(draw):
    V, place = draw("V", range(1, 7)), draw("place", ["inside", "zero", "boundary"])
    numbers = draw.numbers()
    probs, u = numbers.below(5, V) * 0.25, float(numbers.uniform(1)[0])
    probs[numbers.below(V, 1)] += 0.25          # sums of quarters are exact
    if place == "zero":
        u = 0.0
    if place == "boundary":                     # just where one token ends
        probs, u = np.array([0.5, 0.0, 0.5]), 0.5
    options = {"probs": probs, "u": u}
    return FunctionCase(
        component="draw_token", options=options,
        scale=lambda case: {"token": 0.0},
        call=lambda find, case: {"token": float(find("draw_token")(**case.options))},
        expected=lambda case: {"token": token_by_definition(**case.options)}, discrete=True,
        edges=(where_a_draw_falls,))


def token_by_definition(probs, u):
    left = u * probs.sum()
    for token, probability in enumerate(probs):
        if left < probability:
            return float(token)
        left -= probability
    raise AssertionError("u is below 1, so some token is reached")


def where_a_draw_falls(package):
    probs = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    for u, token in (0.0, 1), (0.49, 1), (0.5, 3), (1 - 2**-53, 3):
        yield f"the token at u = {u}", call(package, "draw_token", probs, u), token
