"""Generation for several prompts at once: one product for all rows."""

import torch

from npgpt.errors import InputError
from npgpt.families.checks import (
    check_logits,
    check_prompt,
    last_that_fit,
)
from npgpt.generation.rows_of_cache import rows_of_cache
from npgpt.generation.sampling_settings import check_sampling
from npgpt.random_stream import uniform_stream
from npgpt.tree import tree_leaves
from torchgpt.generation.cache import empty_cache, read
from torchgpt.generation.sample import (
    log_prob,
    mark_used,
    penalise_repeats,
    sample_token,
)
from torchgpt.layers.masks import padded_positions, padding_mask


@torch.no_grad()
def generate_batch(model, params, config, prompts, max_new_tokens=100,
                   temperature=0.8, top_k=None, top_p=None, seed=1,
                   repetition_penalty=1.0, ended=lambda row: False,
                   vocab_size=None):
    """prompts: lists of ids -> yields (row, token, log_prob), the next
    token of each row in turn, and the log of the probability that the
    model gave it. Row b gets what `generate` gives it with seed + b.

    ended: asked after each turn, row by row, whether a row is done.
    vocab_size: as in `generate`."""
    check_sampling(temperature, top_k, top_p, repetition_penalty,
                   max_new_tokens, seed)
    ids = [check_prompt(prompt, config) for prompt in prompts]
    if not ids:
        raise InputError("there is no prompt: give at least one")
    N = config.context_length
    _, like = next(tree_leaves(params))
    windows = [last_that_fit(row, config) for row in ids]
    draws = [uniform_stream(seed + b, 0, "sample")
             for b in range(len(ids))]
    used = mark_used(ids, config.vocab_size, like)    # (B, V)
    rows, pads, cache = list(range(len(ids))), [], None
    for _ in range(max_new_tokens):
        # (1) make room where a row or the cache is full
        for b in rows:
            if N is not None and len(windows[b]) > N:
                windows[b], cache = windows[b][-max(N // 2, 1):], None
        if cache is not None and cache["start"] == N:
            cache = None
        # (2) read what is new: all of it at first, then the last tokens
        if cache is None:
            T = max(len(windows[b]) for b in rows)
            pads = [T - len(windows[b]) for b in rows]
            unread = [[0] * pad + windows[b]
                      for pad, b in zip(pads, rows)]
            cache = empty_cache(model, config, len(rows), params)
            S = T
        else:
            unread = [windows[b][-1:] for b in rows]
            S = cache["start"] + 1
        mask = positions = None
        if any(pads):
            if getattr(model, "TAKES_MASK", True):
                mask = padding_mask(pads, S, like)    # (B, 1, 1, S)
            positions = padded_positions(pads, len(unread[0]), S, like)
        logits, cache = read(
            model, params, config, unread, cache, mask, positions)
        # (3) draw the next token of each row, and append it
        for b, scores in zip(rows, logits):
            check_logits(float(scores.max()))
            lowered = penalise_repeats(
                scores, used[b], repetition_penalty)
            token = sample_token(
                lowered[:vocab_size], next(draws[b]), temperature,
                top_k, top_p)
            used[b, token] = True
            windows[b].append(token)
            yield b, token, log_prob(scores, token)
        # (4) go on with the rows that have not ended
        going = [i for i, b in enumerate(rows) if not ended(b)]
        if not going:
            return
        if len(going) < len(rows):
            cache = rows_of_cache(cache, going)
            rows = [rows[i] for i in going]
            pads = [pads[i] for i in going]
