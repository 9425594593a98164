"""Masks, caches, sampling, generation: no gradients, so each brings an
independent formula."""

import numpy as np

from npgpt.checking.case import Case
from npgpt.checking.cases.composites import gpt_params, model
from npgpt.checking.draw import REGIMES
from npgpt.families.gpt2 import Config
from npgpt.models.gpt2 import gpt
from npgpt.random_stream import uniforms


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


def padded_mask(draw):
    B, S = draw("B", range(1, 4)), draw("S", range(1, 6))
    T = draw("T", range(1, 6))
    numbers = draw.numbers()
    pads = [int(pad) for pad in numbers.below(S, B)]
    return Case("padded_mask", options={"pads": pads, "T": min(T, S), "S": S,
                                        "like": numbers.normal(2)},
                scale=lambda case: {"visible": 0.0, "places": 0.0}, call=call_padded_mask,
                expected=padding_by_definition, covers=("padded_mask", "places_seen"))


def call_padded_mask(find, case):
    visible = find("padded_mask")(**case.options)
    return {"visible": visible, "places": find("places_seen")(visible)}


def padding_by_definition(case):
    """A query sees the real keys up to its own; its place counts from the
    first real token."""
    pads, T, S = (case.options[name] for name in ("pads", "T", "S"))
    queries = range(S - T, S)
    visible = [[[[float(pad <= key <= query) for key in range(S)] for query in queries]]
               for pad in pads]
    places = [[float(max(query - pad, 0)) for query in queries] for pad in pads]
    return {"visible": np.array(visible), "places": np.array(places)}


def gpt_cached(draw):
    config, ids, params, _, numbers = model(draw)
    cuts = draw("cuts", ["one by one", "at once", "half and half"])
    padded = draw("padded", [False, True])
    B, T = ids.shape
    pads = numbers.below(T, B) if padded else np.zeros(B, int)
    real = np.arange(T) >= pads[:, None]
    visible = np.tri(T, dtype=bool) & real[:, None, None, :] if padded else None
    options = {"ids": ids, "config": config, "visible": visible, "cuts": cuts,
               "real": real.astype(float)}
    return Case("gpt_cached", {}, params, options, nested=True, call=call_gpt_cached,
                expected=uncached, covers=("gpt_cached",))


def steps_of(case):
    T = case.options["ids"].shape[1]
    size = {"one by one": 1, "at once": T, "half and half": -(-T // 2)}[case.options["cuts"]]
    return [(start, min(start + size, T)) for start in range(0, T, size)]


def call_gpt_cached(find, case):
    """The ids in pieces, each reading on from the ones before. What padding
    is followed by means nothing: set to 0."""
    ids, config, visible = (case.options[name] for name in ("ids", "config", "visible"))
    cache = find("empty_cache")(config, ids.shape[0], case.params["tokens"]["weight"])
    pieces = {}
    for start, end in steps_of(case):
        part = None if visible is None else visible[:, :, start:end, :end]
        logits, cache = find("gpt_cached")(case.params, ids[:, start:end], cache, config, part)
        pieces[f"from_{start}"] = logits * case.options["real"][:, start:end, None]
    return {"logits": pieces, "read": float(cache[2])}


def uncached(case):
    """Each sequence alone, without its padding, by `gpt`."""
    ids, config, real = (case.options[name] for name in ("ids", "config", "real"))
    logits = np.zeros((*ids.shape, config.vocab_size))
    for b in range(len(ids)):
        seen = real[b] > 0
        logits[b, seen] = gpt(case.params, ids[b:b + 1, seen], config)[0][0]
    return {"read": float(ids.shape[1]), **{f"logits.from_{start}": logits[:, start:end].copy()
                                            for start, end in steps_of(case)}}


def gpt_step(draw):
    config, ids, params, _, _ = model(draw)
    return Case("gpt_step", {}, params, {"ids": ids[:1], "config": config}, nested=True,
                call=call_gpt_step, expected=last_logits, covers=("gpt_step",))


def call_gpt_step(find, case):
    """The first sequence, token by token."""
    config = case.options["config"]
    cache = find("empty_cache")(config, 1, case.params["tokens"]["weight"])
    rows = {}
    for place, token in enumerate(case.options["ids"][0]):
        logits, cache = find("gpt_step")(case.params, int(token), cache, config)
        rows[f"at_{place}"] = logits
    return {"logits": rows, "read": float(cache[2])}


def last_logits(case):
    ids, config = case.options["ids"], case.options["config"]
    logits, _ = gpt(case.params, ids, config)
    return {"read": float(ids.shape[1]),
            **{f"logits.at_{place}": logits[0, place].copy() for place in range(ids.shape[1])}}


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
    return Case("token_probs", options=options, scale=probs_scale,
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
                discrete=True, expected=token_by_definition, covers=("draw_token",),
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
                discrete=True, expected=sample_by_definition, covers=("sample_token",),
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
                scale=lambda case: {"tokens": 0.0}, discrete=True,
                call=call_generate, expected=generated_without_cache, covers=("generate",))


def call_generate(find, case):
    return {"tokens": np.array(list(find("generate")(**case.arguments())), float)}


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
        logits = gpt(params, np.array([ids[window:]]), config)[0][0, -1]
        pushed = penalised(Case("", options={
            "logits": logits, "ids": ids, "penalty": options.get("repetition_penalty", 1.0)}))
        one = {**pushed, "u": float(u), "top_k": options["top_k"], "top_p": options["top_p"],
               "temperature": options.get("temperature", 0.8)}
        ids.append(int(sample_by_definition(Case("", options=one))["token"]))
        score += log_prob_by_sums(logits, ids[-1])
    return ids[len(prompt):], score


def generate_batch(draw):
    B, new, N = draw("B", range(1, 4)), draw("new", range(1, 7)), draw("N", range(1, 6))
    top_k, top_p = draw("top_k", [None, 2]), draw("top_p", [None, 0.8])
    temperature = draw("temperature", [None, 0, 1.5])
    stop, penalty = draw("stop", [None, 1]), draw("penalty", [None, 1.5])
    own_seed = draw("own_seed", [False, True])
    numbers = draw.numbers()
    config = Config(6, N, 1, 2, 4)
    prompts = [numbers.below(6, 1 + int(numbers.below(5, 1)[0])) for _ in range(B)]
    options = {"config": config, "prompts": prompts, "max_new_tokens": new,
               "top_k": top_k, "top_p": top_p, "stop": stop}
    options |= {"seed": 5} if own_seed else {}
    options |= {} if temperature is None else {"temperature": temperature}
    options |= {} if penalty is None else {"repetition_penalty": penalty}
    return Case("generate_batch", {}, gpt_params(numbers, config), options, nested=True,
                scale=batch_scale, discrete=True, call=call_generate_batch,
                expected=each_alone, covers=("generate_batch",))


def batch_scale(case):
    """Tokens exactly; a sum of logs of order ten each."""
    return {f"row_{b}.log_prob": 10.0 * case.options["max_new_tokens"]
            for b in range(len(case.options["prompts"]))}


def call_generate_batch(find, case):
    """Each row's tokens, and the sum of their log probabilities; the row of
    number `stop` ends after its second token."""
    arguments = case.arguments()
    stop = arguments.pop("stop")
    rows = {b: [] for b in range(len(arguments["prompts"]))}
    scores = dict.fromkeys(rows, 0.0)
    if stop is not None:
        arguments["ended"] = lambda row: row == stop and len(rows[row]) >= 2
    for row, token, score in find("generate_batch")(**arguments):
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


def penalise_repeats(draw):
    V, count = draw("V", range(1, 8)), draw("count", range(1, 5))
    penalty = draw("penalty", [1.5, 1, 0.5])
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V), "penalty": penalty,
               "ids": [int(i) for i in numbers.below(V, count)]}
    return Case("penalise_repeats", options=options, views=True,
                scale=lambda case: {"logits": 2 * case.options["logits"]},
                call=lambda find, case: {"logits": find("penalise_repeats")(**case.options)},
                expected=penalised, covers=("penalise_repeats",))


def penalised(case):
    logits, ids = case.options["logits"].copy(), case.options["ids"]
    for i in set(ids):
        logits[i] *= case.options["penalty"] ** (1 if logits[i] < 0 else -1)
    return {"logits": logits}


def log_prob(draw):
    V, regime = draw("V", range(1, 8)), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"logits": numbers.normal(V, std=50.0 if regime == "stress" else 1.0),
               "token": int(numbers.below(V, 1)[0])}
    return Case("log_prob", options=options,
                scale=lambda case: {"log_prob": 1 + 2 * np.abs(case.options["logits"]).max()},
                call=lambda find, case: {"log_prob": find("log_prob")(**case.options)},
                expected=lambda case: {"log_prob": log_prob_by_sums(**case.options)},
                covers=("log_prob",))


def log_prob_by_sums(logits, token):
    """Minus the log of Σ e^(z − z of the token)."""
    return -float(np.logaddexp.reduce(logits - logits[token]))
