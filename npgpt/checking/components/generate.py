import numpy as np

from npgpt.checking.case import FunctionCase, arguments
from npgpt.checking.components._models import model_params
from npgpt.checking.components.log_prob import log_prob_by_sums
from npgpt.checking.components.penalise_repeats import penalised
from npgpt.checking.components.sample_token import sample_by_definition
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.random_stream import uniforms


def generate(draw):
    prompt, new = draw("T", range(1, 6)), draw("new", range(1, 9))
    N, top_k = draw("N", range(1, 6)), draw("top_k", [None, 2])
    top_p, temperature = draw("top_p", [None, 0.8]), draw("temperature", [None, 0, 1.5])
    numbers = draw.numbers()
    config = Config(6, N, 1, 2, 4)
    options = {"config": config, "ids": numbers.below(6, prompt), "max_new_tokens": new,
               "top_k": top_k, "top_p": top_p}
    if draw("own_seed", [False, True]):
        options["seed"] = 5
    if temperature is not None:
        options["temperature"] = temperature
    return FunctionCase(
        component="generate", params=model_params(numbers, config),
        options=options, scale=lambda case: {"tokens": 0.0}, call=call_generate,
        expected=generated_without_cache, discrete=True)


def call_generate(find, case):
    return {"tokens": np.array(list(find("generate")(
        find("models.gpt2"), **arguments(case))), float)}


def generated_without_cache(case):
    options = case.options
    tokens, _ = write_on(case.params, options["config"], options["ids"],
                         options["max_new_tokens"], options.get("seed", 1), options)
    return {"tokens": np.array(tokens, float)}


def write_on(params, config, prompt, new, seed, options):
    """Every token from a fresh pass over the window: all ids while they
    fit, and from then on a window that restarts at half the context."""
    ids, window, N, score = [int(i) for i in prompt], 0, config.context_length, 0.0
    for u in uniforms((new,), seed, 0, "sample"):
        if len(ids) - window > N:
            window = len(ids) - max(N // 2, 1)
        logits = gpt2.forward(params, np.array([ids[window:]]), config)[0][0, -1]
        pushed = penalised(logits, ids, options.get("repetition_penalty", 1.0))
        ids.append(int(sample_by_definition(
            pushed, float(u), temperature=options.get("temperature", 0.8),
            top_k=options["top_k"], top_p=options["top_p"])))
        score += log_prob_by_sums(logits, ids[-1])
    return ids[len(prompt):], score
