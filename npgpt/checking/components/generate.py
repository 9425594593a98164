import numpy as np

from npgpt.checking.case import FunctionCase, arguments
from npgpt.checking.components._models import model_params
from npgpt.checking.components.log_prob import log_prob_by_sums
from npgpt.checking.components.penalise_repeats import penalised
from npgpt.checking.components.sample_token import sample_by_definition
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import entered
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.random_stream import uniforms


def generate(draw):
    prompt, new = draw("T", range(1, 6)), draw("new", range(1, 9))
    N, top_k = draw("N", range(1, 6)), draw("top_k", [None, 2])
    top_p, temperature = draw("top_p", [None, 0.8]), draw("temperature", [None, 0, 1.5])
    vocab_size = draw("vocab_size", [None, 4])
    numbers = draw.numbers()
    config = Config(6, N, 1, 2, 4)
    options = {"config": config, "ids": numbers.below(6, prompt), "max_new_tokens": new,
               "top_k": top_k, "top_p": top_p}
    options |= {} if vocab_size is None else {"vocab_size": vocab_size}
    if draw("own_seed", [False, True]):
        options["seed"] = 5
    if temperature is not None:
        options["temperature"] = temperature
    return FunctionCase(
        component="generate", params=model_params(numbers, config),
        options=options, scale=lambda case: {"tokens": 0.0}, call=call_generate,
        expected=generated_without_cache, edges=(prompts_of_every_length_go_on,), discrete=True)


def call_generate(find, case):
    return {"tokens": np.array(list(find("generate")(
        find("models.gpt2"), **arguments(case))), float)}


def generated_without_cache(case):
    options = case.options
    tokens, _ = write_on(case.params, options["config"], options["ids"],
                         options["max_new_tokens"], options.get("seed", 1), options)
    return {"tokens": np.array(tokens, float)}


def write_on(params, config, prompt, new, seed, options):
    """Every token from a fresh pass over the window: at first the last N ids, and each
    time that these are too many, a window that restarts at half the context."""
    ids, N, score = [int(i) for i in prompt], config.context_length, 0.0
    window = max(len(ids) - N, 0)
    for u in uniforms((new,), seed, 0, "sample"):
        if len(ids) - window > N:
            window = len(ids) - max(N // 2, 1)
        logits = gpt2.forward(params, np.array([ids[window:]]), config)[0][0, -1]
        lowered = penalised(logits, ids, options.get("repetition_penalty", 1.0))
        ids.append(int(sample_by_definition(
            lowered[:options.get("vocab_size")], float(u),
            temperature=options.get("temperature", 0.8),
            top_k=options["top_k"], top_p=options["top_p"])))
        score += log_prob_by_sums(logits, ids[-1])
    return ids[len(prompt):], score


def prompts_of_every_length_go_on(package):
    config = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)
    model, generate = package.find("models.gpt2"), package.find("generate")
    params = entered(package, model_params(Numbers(1), config))

    def tokens(length, new):
        return list(generate(model, params, config, [1] * length, max_new_tokens=new))

    for length in 1, 3, 4, 5, 9:
        found = tokens(length, 10)
        yield f"how many follow {length}", len(found), 10
        yield "whether all are tokens", all(0 <= token < 5 for token in found), True
        yield "the same again", tokens(length, 10), found
        yield "how many are none", len(tokens(length, 0)), 0
