"""Generation for several prompts at once: one product for all rows."""

import torch

from npgpt.errors import InputError
from npgpt.random_stream import uniforms
from torchgpt.generation.sample import (
    check_sampling,
    log_prob,
    penalise_repeats,
    sample_token,
)
from torchgpt.layers.kv_cache import empty_cache
from torchgpt.layers.masks import padded_mask
from torchgpt.models.gpt_cached import gpt_cached


@torch.no_grad()
def generate_batch(params, config, prompts, max_new_tokens=100,
                   temperature=0.8, top_k=None, top_p=None, seed=1,
                   repetition_penalty=1.0, ended=lambda row: False):
    """prompts: lists of ids -> yields (row, token, log_prob), the next
    token of each row in turn, and the log of the probability that the
    model gave it. Row b gets what `generate` gives it with seed + b.

    ended: asked after each turn, row by row, whether a row is done."""
    check_sampling(temperature, top_k, top_p, repetition_penalty)
    ids = [[int(i) for i in prompt] for prompt in prompts]
    if not ids or not all(ids):
        raise InputError("a prompt is empty: give at least one token")
    N = config.context_length
    weight = params["tokens"]["weight"]
    windows = [row[:] for row in ids]
    draws = [uniforms((max_new_tokens,), seed + b, 0, "sample")
             for b in range(len(ids))]
    rows, pads, cache = list(range(len(ids))), [], None
    for turn in range(max_new_tokens):
        # (1) make room, for full rows and for rows pushed to the end
        for b in rows:
            if len(windows[b]) > N:
                windows[b], cache = windows[b][-max(N // 2, 1):], None
        if cache is not None and cache[2] == N:
            cache = None
        # (2) read what is new: all of it at first, then the last tokens
        if cache is None:
            T = max(len(windows[b]) for b in rows)
            pads = [T - len(windows[b]) for b in rows]
            unread = [[0] * pad + windows[b]
                      for pad, b in zip(pads, rows)]
            cache = empty_cache(config, len(rows), weight)
        else:
            unread = [windows[b][-1:] for b in rows]
        T, S = len(unread[0]), cache[2] + len(unread[0])
        visible = padded_mask(pads, T, S, weight)     # (B, 1, T, S)
        logits, cache = gpt_cached(
            params, torch.tensor(unread, device=weight.device),
            cache, config, visible)
        # (3) draw the next token of each row, and append it
        for b, scores in zip(rows, logits[:, -1]):
            pushed = penalise_repeats(
                scores, ids[b], repetition_penalty)
            token = sample_token(
                pushed, draws[b][turn], temperature, top_k, top_p)
            ids[b].append(token)
            windows[b].append(token)
            yield b, token, log_prob(scores, token)
        # (4) go on with the rows that have not ended
        going = [i for i, b in enumerate(rows) if not ended(b)]
        if not going:
            return
        if len(going) < len(rows):
            keys, values, read = cache
            cache = keys[:, going], values[:, going], read
            rows = [rows[i] for i in going]
            pads = [pads[i] for i in going]
