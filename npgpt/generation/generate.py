"""Generation: predict, draw, append, again."""

import numpy as np

from npgpt.errors import InputError
from npgpt.generation.sample import check_sampling, sample_token
from npgpt.layers.kv_cache import empty_cache
from npgpt.models.gpt_cached import gpt_cached
from npgpt.random_stream import uniforms
from npgpt.speed.one_token.gpt2 import gpt_step


def generate(params, config, ids, max_new_tokens=100, temperature=0.8,
             top_k=None, top_p=None, seed=1):
    """ids: the prompt's, at least one -> yields the ids that follow it,
    one at a time. A context that is full goes on from its last half:
    learned places cannot slide."""
    check_sampling(temperature, top_k, top_p)
    ids = [int(i) for i in ids]
    if not ids:
        raise InputError("the prompt is empty: give at least one token")
    N = config.context_length
    weight = params["tokens"]["weight"]
    window, cache = ids[:], None
    for u in uniforms((max_new_tokens,), seed, 0, "sample"):
        # (1) make room
        if len(window) > N:
            window, cache = window[-max(N // 2, 1):], None
        # (2) read what is new: all of it at first, then the last token
        if cache is None:
            cache = empty_cache(config, 1, weight)
            every, cache = gpt_cached(
                params, np.array([window]), cache, config)
            logits = every[0, -1]                     # (V,)
        else:
            logits, cache = gpt_step(
                params, window[-1], cache, config)
        # (3) draw the next token
        token = sample_token(logits, u, temperature, top_k, top_p)
        yield token
        # (4) append it
        window.append(token)
