"""causal_mask, extend_cache, gpt_cached, sampling, generate: no gradients,
so each brings an independent formula."""

import numpy as np

from npgpt.checking.case import Case
from npgpt.checking.cases.composites import gpt_params, model
from npgpt.model.config import Config
from npgpt.model.gpt import gpt
from npgpt.random_stream import uniforms

DISCRETE = "its result is a choice, which has no derivative"


def causal_mask(draw):
    T, S = draw("T", range(1, 6)), draw("S", range(1, 6))
    numbers = draw.numbers()
    return Case("causal_mask", options={"T": T, "S": S, "like": numbers.normal(2)},
                scale=lambda case: {"visible": 0.0},
                call=lambda find, case: {"visible": find("causal_mask")(**case.options)},
                expected=mask_by_definition, covers=("causal_mask",))


def mask_by_definition(case):
    T, S = case.options["T"], case.options["S"]
    rows = [[float(key - S <= query - T) for key in range(S)] for query in range(T)]
    return {"visible": np.array(rows)}


def extend_cache(draw):
    B, H, D = draw("B", range(1, 3)), draw("H", range(1, 3)), draw("D", range(1, 4))
    T, start = draw("T", range(1, 4)), draw("start", [0, 1, 3, None])
    spare = draw("spare", range(3))
    numbers = draw.numbers()
    config = Config(5, (start or 0) + T + spare, 2, H, H * D)
    options = {"k": numbers.normal(B, H, T, D), "v": numbers.normal(B, H, T, D),
               "before": numbers.normal(2, B, H, start or 0, D), "start": start,
               "config": config}
    return Case("extend_cache", options=options, scale=lambda case: {},
                call=call_cache, expected=cache_by_definition, views=True,
                covers=("extend_cache", "empty_cache"))


def call_cache(find, case):
    k, v, start = (case.options[name] for name in ("k", "v", "start"))
    if start is None:
        keys, values = find("extend_cache")(None, k, v)
        return {"keys": keys, "values": values}
    keys, values, read = find("empty_cache")(case.options["config"], k.shape[0], k)
    keys[1][:, :, :start] = case.options["before"][0]
    values[1][:, :, :start] = case.options["before"][1]
    all_keys, all_values = find("extend_cache")((keys[1], values[1], start), k, v)
    return {"keys": all_keys, "values": all_values, "read": float(read),
            "stored_keys": keys, "stored_values": values}


def cache_by_definition(case):
    k, v, start = (case.options[name] for name in ("k", "v", "start"))
    if start is None:
        return {"keys": k.copy(), "values": v.copy()}
    results = {"read": 0.0}
    N = case.options["config"].context_length
    for name, before, new in zip(("keys", "values"), case.options["before"], (k, v)):
        whole = np.concatenate([before, new], axis=2)
        B, H, S, D = whole.shape
        stored = np.zeros((2, B, H, N, D))
        stored[1, :, :, :S] = whole
        results |= {name: whole, f"stored_{name}": stored}
    return results


def gpt_cached(draw):
    config, ids, params, options, _ = model(draw)
    cuts = draw("cuts", ["one by one", "at once", "half and half"])
    options = {"ids": ids, "config": config, "visible": options["visible"], "cuts": cuts}
    return Case("gpt_cached", {}, params, options, nested=True, call=call_gpt_cached,
                expected=uncached, covers=("gpt_cached",))


def call_gpt_cached(find, case):
    """The ids in pieces, each reading on from the ones before."""
    ids, config, visible = (case.options[name] for name in ("ids", "config", "visible"))
    T = ids.shape[1]
    step = {"one by one": 1, "at once": T, "half and half": -(-T // 2)}[case.options["cuts"]]
    cache = find("empty_cache")(config, ids.shape[0], case.params["tokens"]["weight"])
    pieces = {}
    for start in range(0, T, step):
        end = min(start + step, T)
        part = None if visible is None else visible[:, :, start:end, :end]
        logits, cache = find("gpt_cached")(case.params, ids[:, start:end], cache, config, part)
        pieces[f"from_{start}"] = logits
    return {"logits": pieces, "read": float(cache[2])}


def uncached(case):
    """The same logits by `gpt`, which reads everything anew."""
    ids, config, visible = (case.options[name] for name in ("ids", "config", "visible"))
    T = ids.shape[1]
    step = {"one by one": 1, "at once": T, "half and half": -(-T // 2)}[case.options["cuts"]]
    logits, _ = gpt(case.params, ids, config, visible)
    return {"read": float(T), **{f"logits.from_{start}": logits[:, start:start + step].copy()
                                 for start in range(0, T, step)}}


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
    return Case("token_probs", options=options, scale=probs_scale, no_complex_step=DISCRETE,
                call=lambda find, case: {"probs": find("token_probs")(**case.options)},
                expected=probs_by_definition, result_dtype="float64", covers=("token_probs",))


def probs_scale(case):
    temperature = case.options.get("temperature", 0.8)
    return {"probs": 1 + np.abs(case.options["logits"]).max() / (temperature or 1)}


def probs_by_definition(case):
    """One token after the other, from the likeliest down."""
    logits, V = case.options["logits"], len(case.options["logits"])
    temperature = case.options.get("temperature", 0.8)
    order = sorted(range(V), key=lambda i: (-logits[i], i))
    probs = np.zeros(V)
    if temperature == 0:
        probs[order[0]] = 1.0
        return {"probs": probs}
    last = logits[order[min(case.options["top_k"] or V, V) - 1]]
    kept = [i for i in order if logits[i] >= last]
    powers = {i: np.exp((logits[i] - logits[order[0]]) / temperature) for i in kept}
    total, reached = sum(powers.values()), 0.0
    for i in kept:
        if case.options["top_p"] is None or reached < case.options["top_p"] or i == order[0]:
            probs[i] = powers[i] / total
        reached += powers[i] / total
    return {"probs": probs}


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
    return Case("draw_token", options=options, scale=lambda case: {"token": 0.0},
                no_complex_step=DISCRETE, expected=token_by_definition, covers=("draw_token",),
                call=lambda find, case: {"token": float(find("draw_token")(**case.options))})


def token_by_definition(case):
    probs, u = case.options["probs"], case.options["u"]
    left = u * probs.sum()
    for token, probability in enumerate(probs):
        if left < probability:
            return {"token": float(token)}
        left -= probability
    raise AssertionError("u is below 1, so some token is reached")


def sample_token(draw):
    V, k = draw("V", range(2, 7)), draw("top_k", [None, 2])
    p, temperature = draw("top_p", [None, 0.7]), draw("temperature", [None, 1.5])
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V), "u": float(numbers.uniform(1)[0]),
               "top_k": k, "top_p": p}
    if temperature is not None:
        options["temperature"] = temperature
    return Case("sample_token", options=options, scale=lambda case: {"token": 0.0},
                no_complex_step=DISCRETE, expected=sample_by_definition, covers=("sample_token",),
                call=lambda find, case: {"token": float(find("sample_token")(**case.options))})


def sample_by_definition(case):
    probs = probs_by_definition(case)["probs"]
    return token_by_definition(Case("draw_token",
                                    options={"probs": probs, "u": case.options["u"]}))


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
    return Case("generate", {}, gpt_params(numbers, config), options, nested=True,
                scale=lambda case: {"tokens": 0.0}, no_complex_step=DISCRETE,
                call=call_generate, expected=generated_without_cache, covers=("generate",))


def call_generate(find, case):
    return {"tokens": np.array(list(find("generate")(**case.arguments())), float)}


def generated_without_cache(case):
    """Every token from a fresh pass over the window: all ids while they
    fit, and from then on a window that restarts at half the context."""
    options, N = case.options, case.options["config"].context_length
    ids, window = [int(i) for i in options["ids"]], 0
    draws = uniforms((options["max_new_tokens"],), options.get("seed", 1), 0, "sample")
    for u in draws:
        if len(ids) - window > N:
            window = len(ids) - max(N // 2, 1)
        logits, _ = gpt(case.params, np.array([ids[window:]]), options["config"])
        one = {"logits": logits[0, -1], "u": float(u), "top_k": options["top_k"],
               "top_p": options["top_p"], "temperature": options.get("temperature", 0.8)}
        ids.append(int(sample_by_definition(Case("sample_token", options=one))["token"]))
    return {"tokens": np.array(ids[len(options["ids"]):], float)}
