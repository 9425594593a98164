"""Generation: predict, draw, append, again."""

from npgpt.families.checks import (
    check_logits,
    check_prompt,
    last_that_fit,
)
from npgpt.generation.cache import empty_cache, read
from npgpt.generation.sample import sample_token
from npgpt.generation.sampling_settings import check_sampling
from npgpt.random_stream import uniform_stream
from npgpt.speed import one_token


def generate(model, params, config, ids, max_new_tokens=100,
             temperature=0.8, top_k=None, top_p=None, seed=1,
             vocab_size=None):
    """ids: the prompt's, at least one -> yields the ids that follow it,
    one at a time. Of a prompt longer than the context, the last ids
    that fit are read; a context that is full goes on from its last
    half: learned positions cannot slide. vocab_size: how many ids stand
    for a token; those above, which pad the tables, are never drawn."""
    check_sampling(temperature, top_k, top_p, 1, max_new_tokens, seed)
    ids = check_prompt(ids, config)
    window, cache = last_that_fit(ids, config), None
    N, one_step = config.context_length, one_token.for_model(model)
    draws = uniform_stream(seed, 0, "sample")
    for _, u in zip(range(max_new_tokens), draws):
        # (1) make room
        if N is not None and len(window) > N:
            window, cache = window[-max(N // 2, 1):], None
        # (2) read what is new: all of it at first, then the last token
        if cache is not None and one_step is not None:
            logits, cache = one_step(params, window[-1], cache, config)
        else:
            unread = window if cache is None else window[-1:]
            if cache is None:
                room = N and min(N, len(window) + max_new_tokens)
                cache = empty_cache(model, config, 1, params, room)
            rows, cache = read(model, params, config, [unread], cache)
            logits = rows[0]                          # (V,)
        # (3) draw the next token
        check_logits(float(logits.max()))
        token = sample_token(
            logits[:vocab_size], u, temperature, top_k, top_p)
        yield token
        # (4) append it
        window.append(token)
