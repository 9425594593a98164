import numpy as np

from npgpt.checking.case import FunctionCase, arguments
from npgpt.checking.components._models import model_params
from npgpt.checking.components.generate import write_on
from npgpt.families.gpt2 import Config


def generate_batch(draw):
    B, new, N = draw("B", range(1, 4)), draw("new", range(1, 7)), draw("N", range(1, 6))
    top_k, top_p = draw("top_k", [None, 2]), draw("top_p", [None, 0.8])
    temperature = draw("temperature", [None, 0, 1.5])
    stop, penalty = draw("stop", [None, 1]), draw("penalty", [None, 1.5])
    own_seed, vocab_size = draw("own_seed", [False, True]), draw("vocab_size", [None, 4])
    numbers = draw.numbers()
    config = Config(6, N, 1, 2, 4)
    prompts = [numbers.below(6, 1 + int(numbers.below(5, 1)[0])) for _ in range(B)]
    options = {"config": config, "prompts": prompts, "max_new_tokens": new,
               "top_k": top_k, "top_p": top_p, "stop": stop}
    options |= {"seed": 5} if own_seed else {}
    options |= {} if vocab_size is None else {"vocab_size": vocab_size}
    options |= {} if temperature is None else {"temperature": temperature}
    options |= {} if penalty is None else {"repetition_penalty": penalty}
    return FunctionCase(
        component="generate_batch",
        params=model_params(numbers, config), options=options, scale=batch_scale,
        call=call_generate_batch, expected=each_alone, discrete=True)


def batch_scale(case):
    """Tokens exactly; a sum of logs of order ten each."""
    return {f"row_{b}.log_prob": 10.0 * case.options["max_new_tokens"]
            for b in range(len(case.options["prompts"]))}


def call_generate_batch(find, case):
    """Each row's tokens, and the sum of their log probabilities; the row of
    number `stop` ends after its second token."""
    given = arguments(case)
    stop = given.pop("stop")
    rows = {b: [] for b in range(len(given["prompts"]))}
    scores = dict.fromkeys(rows, 0.0)
    if stop is not None:
        given["ended"] = lambda row: row == stop and len(rows[row]) >= 2
    for row, token, score in find("generate_batch")(find("models.gpt2"), **given):
        rows[row].append(float(token))
        scores[row] += score
    return {f"row_{row}": {"tokens": np.array(tokens), "log_prob": scores[row]}
            for row, tokens in rows.items()}


def each_alone(case):
    """Row b, generated alone with seed + b and no cache."""
    options, results = case.options, {}
    for b, prompt in enumerate(options["prompts"]):
        new = options["max_new_tokens"]
        if options["stop"] == b:
            new = min(new, 2)
        tokens, score = write_on(
            case.params, options["config"], prompt, new, options.get("seed", 1) + b, options)
        results[f"row_{b}.tokens"] = np.array(tokens, float)
        results[f"row_{b}.log_prob"] = score
    return results
