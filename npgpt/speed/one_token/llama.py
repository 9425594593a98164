"""One token through the whole model, on one page: what `llama.forward`
computes for a single sequence with a cache, on vectors and with nothing
kept for a backward pass."""

import math

import numpy as np

from npgpt.layers.rope import rope_angles
from npgpt.models.llama import head


def llama_step(params, token, cache, config):
    """token: the next id -> its logits (V,), new cache.

    cache: as `llama.forward` takes it, of batch 1, not yet full; its
    storage is written in place."""
    start, eps = cache["start"], config.eps
    H, K, D = config.heads, config.kv_heads, config.head_size
    # (1) token embedding
    x = params["tokens"]["weight"][token]             # (C,)
    # (2) the rotations of the position
    cos, sin = rope_angles(np.array([[start]]), D, config.theta, x)
    cos, sin = cos[0, 0], sin[0, 0]                   # (1, D/2)
    for layer, past in zip(params["blocks"], cache["blocks"]):
        # (3) queries, keys and values, rotated
        weights = layer["attention"]
        normed = norm(x, eps=eps, **layer["norm_1"])  # (C,)
        q = affine(normed, **weights["q"]).reshape(H, D)
        k = affine(normed, **weights["k"]).reshape(K, D)
        v = affine(normed, **weights["v"]).reshape(K, D)
        if "q_norm" in weights:
            q = norm(q, eps=eps, **weights["q_norm"])         # (H, D)
            k = norm(k, eps=eps, **weights["k_norm"])         # (K, D)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # (4) attention
        keys, values = past["keys"][0], past["values"][0]    # (K, N, D)
        keys[:, start], values[:, start] = k, v
        attended = attend(
            q, keys[:, :start + 1], values[:, :start + 1])   # (H·D,)
        x = x + affine(attended, **weights["out"])    # (C,)
        # (5) MLP
        normed = norm(x, eps=eps, **layer["norm_2"])  # (C,)
        gate = affine(normed, **layer["feed_forward"]["gate"])
        up = affine(normed, **layer["feed_forward"]["up"])   # (F,)
        hidden = silu(gate) * up                      # (F,)
        x = x + affine(hidden, **layer["feed_forward"]["down"])
    # (6) RMS norm and logits
    normed = norm(x, eps=eps, **params["norm"])       # (C,)
    logits = normed @ head(params, config)["weight"]  # (V,)
    return logits, {**cache, "start": start + 1}


def norm(x, weight, eps):
    """RMS norm: x (..., C) -> (..., C)."""
    # (1) divide by the root mean square
    mean_square = np.vecdot(x, x)[..., None] / x.shape[-1]
    normed = x * (1 / np.sqrt(mean_square + eps))     # (..., C)
    # (2) scale
    return normed * weight                            # (..., C)


def affine(x, weight, bias=None):
    """Linear, of one vector (I,) -> (O,)."""
    # (1) weigh the inputs, and shift
    y = x @ weight                                    # (O,)
    return y if bias is None else y + bias            # (O,)


def rotate(x, cos, sin):
    """RoPE: x (H, D), cos and sin (1, D/2) -> (H, D)."""
    # (1) cut into pairs, rotate each, join
    middle = x.shape[-1] // 2
    first, second = x[:, :middle], x[:, middle:]      # (H, D/2)
    y = np.empty_like(x)                              # (H, D)
    y[:, :middle] = first * cos - second * sin
    y[:, middle:] = second * cos + first * sin
    return y


def attend(q, keys, values):
    """Attention, one query a head, H/K queries to each head of keys and
    values: q (H, D), keys and values (K, S, D) -> (H·D,)."""
    (H, D), K = q.shape, len(keys)
    # (1) compare the scaled queries with each key
    q = (q * (1 / math.sqrt(D))).reshape(K, H // K, D)
    scores = q @ keys.swapaxes(1, 2)                  # (K, H/K, S)
    # (2) exponentiate; with the largest at 0, exp cannot overflow
    top = scores.max(axis=2, keepdims=True)           # (K, H/K, 1)
    powers = np.exp(scores - top)                     # (K, H/K, S)
    # (3) mix the values, and divide by the sum
    mixed = powers @ values                           # (K, H/K, D)
    attended = mixed / powers.sum(axis=2, keepdims=True)
    return attended.reshape(H * D)                    # (H·D,)


def silu(x):
    """SiLU: x (F,) -> (F,). Written by tanh, which cannot overflow."""
    # (1) pass x through its sigmoid
    return x * (0.5 + 0.5 * np.tanh(0.5 * x))         # (F,)
