"""Flash attention: attention a tile of keys at a time, so that no array
of all scores is ever made (Dao et al., 2022; Dao, 2023)."""

import math

import numpy as np

TILE = 128


def flash_attention(q, k, v, mask=None, causal=False,
                    dropout_mask=None, size=TILE):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D).

    As `attention`; for backward it saves y and, of each query, the
    logarithm of the sum that its probabilities were divided by. size:
    the keys of a tile."""
    S = k.shape[2]
    y = np.zeros_like(q)                              # (B, H, T, D)
    top = np.full_like(q[..., :1], -np.inf)           # (B, H, T, 1)
    total = np.zeros_like(top)                        # (B, H, T, 1)
    for start in range(0, S, size):
        # (1) scores of a tile of keys, −inf where hidden
        scores, rows, keys = tile_scores(
            q, k, mask, causal, start, size)          # (B, H, R, W)
        # (2) make the largest score so far 0: what was added up before
        #     it was known shrinks
        largest = scores.max(axis=-1, keepdims=True)  # (B, H, R, 1)
        largest = np.maximum(top[:, :, rows], largest)
        zero = np.where(largest == -np.inf, 0, largest)
        shrink = np.exp(top[:, :, rows] - zero)       # (B, H, R, 1)
        top[:, :, rows] = largest
        # (3) exponentiate and add up
        powers = np.exp(scores - zero)                # (B, H, R, W)
        tile_sum = powers.sum(axis=-1, keepdims=True)
        total[:, :, rows] = total[:, :, rows] * shrink + tile_sum
        # (4) dropout
        if dropout_mask is not None:
            powers = powers * dropout_mask[:, :, rows, keys]
        # (5) mix the values
        mixed = powers @ v[:, :, keys]                # (B, H, R, D)
        y[:, :, rows] = y[:, :, rows] * shrink + mixed
    # (6) divide by the sum
    nothing = total == 0      # a query that may attend to nothing
    y = y / (total + nothing)                         # (B, H, T, D)
    log_sum = np.where(nothing, 0, top) + np.log(total + nothing)
    return y, (q, k, v, mask, causal, dropout_mask, size, y, log_sum)


def flash_attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    q, k, v, mask, causal, dropout_mask, size, y, log_sum = saved
    d_q = np.zeros_like(q)
    d_k, d_v = np.zeros_like(k), np.zeros_like(v)
    # (6) divide by the sum: d_probs · probs, added up over all keys, is
    #     d_y · y, added up over the channels
    mean_grad = (d_y * y).sum(axis=-1, keepdims=True)  # (B, H, T, 1)
    for start in range(0, k.shape[2], size):
        # (5) mix the values; the probabilities are computed anew
        scores, rows, keys = tile_scores(
            q, k, mask, causal, start, size)          # (B, H, R, W)
        probs = np.exp(scores - log_sum[:, :, rows])  # (B, H, R, W)
        weights = probs
        if dropout_mask is not None:
            weights = probs * dropout_mask[:, :, rows, keys]
        d_weights = d_y[:, :, rows] @ v[:, :, keys].swapaxes(-1, -2)
        d_v[:, :, keys] = weights.swapaxes(-1, -2) @ d_y[:, :, rows]
        # (4) dropout
        d_probs = d_weights                           # (B, H, R, W)
        if dropout_mask is not None:
            d_probs = d_weights * dropout_mask[:, :, rows, keys]
        # (3) exponentiate and add up
        d_scores = probs * (d_probs - mean_grad[:, :, rows])
        # (2) make the largest score so far 0: a shift changes nothing
        # (1) scores of a tile of keys
        d_scores = d_scores / math.sqrt(q.shape[-1])  # (B, H, R, W)
        d_q[:, :, rows] += d_scores @ k[:, :, keys]   # (B, H, T, D)
        d_k[:, :, keys] = d_scores.swapaxes(-1, -2) @ q[:, :, rows]
    return d_q, d_k, d_v


def tile_scores(q, k, mask, causal, start, size):
    """-> scores (B, H, R, W) of W keys, from `start` on, and of the R
    queries that may attend to one of them; the slices of both."""
    (B, H, T, D), S = q.shape, k.shape[2]
    first = max(start - (S - T), 0) if causal else 0
    rows, keys = slice(first, T), slice(start, min(start + size, S))
    scores = q[:, :, rows] @ k[:, :, keys].swapaxes(-1, -2)
    scores = scores / math.sqrt(D)                    # (B, H, R, W)
    if causal:
        offset = S - T + first - start
        past = np.tri(*scores.shape[2:], offset, dtype=bool)  # (R, W)
        scores = np.where(past, scores, -np.inf)
    if mask is not None:
        mask = np.broadcast_to(mask, (B, H, T, S))[:, :, rows, keys]
        scores = np.where(mask, scores, -np.inf)
    return scores, rows, keys
