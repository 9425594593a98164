"""Generation: predict, draw, append, again."""

import torch

from npgpt.errors import InputError
from npgpt.random_stream import uniforms
from torchgpt.generation.sample import check_sampling, sample_token
from torchgpt.layers.kv_cache import empty_cache
from torchgpt.model.gpt_cached import gpt_cached


@torch.no_grad()
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
    keys, values, read = empty_cache(config, 1, weight)
    unread = ids
    for u in uniforms((max_new_tokens,), seed, 0, "sample"):
        # (1) make room
        if read + len(unread) > N:
            unread, read = ids[-max(N // 2, 1):], 0
        # (2) read what is new
        logits, (keys, values, read) = gpt_cached(
            params, torch.tensor([unread], device=weight.device),
            (keys, values, read), config)
        # (3) draw the next token
        token = sample_token(logits[0, -1], u, temperature, top_k, top_p)
        yield token
        # (4) append it
        ids.append(token)
        unread = [token]
