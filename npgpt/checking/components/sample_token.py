from npgpt.checking.case import FunctionCase
from npgpt.checking.components.draw_token import token_by_definition
from npgpt.checking.components.token_probs import probs_by_definition


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
        expected=lambda case: {"token": sample_by_definition(**case.options)}, discrete=True)


def sample_by_definition(logits, u, **settings):
    return token_by_definition(probs_by_definition(logits, **settings), u)
