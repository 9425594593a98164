"""One token through the whole model, on one page: what `gpt2.forward`
computes for a single sequence and a cache, on vectors and with nothing
kept for a backward pass. A small model writes almost twice as fast."""

import math

import numpy as np

from npgpt.layers.gelu import CUBIC, ROOT
from npgpt.models.gpt2 import head


def gpt2_step(params, token, cache, config):
    """token: the next id -> its logits (V,), new cache.

    cache: as `gpt2.forward` takes it, of batch 1, not yet full; its
    storage is written in place."""
    start, H, D = cache["start"], config.heads, config.head_size
    # (1) token embedding plus position embedding
    place = params["positions"]["weight"][start]      # (C,)
    x = params["tokens"]["weight"][token] + place     # (C,)
    for layer, past in zip(params["blocks"], cache["blocks"]):
        # (2) attention
        normed = norm(x, **layer["norm_1"])           # (C,)
        qkv = affine(normed, **layer["attention"]["qkv"])     # (3C,)
        q, k, v = qkv.reshape(3, H, D)                # (H, D) each
        keys, values = past["keys"][0], past["values"][0]  # (H, N, D)
        keys[:, start], values[:, start] = k, v
        attended = attend(
            q, keys[:, :start + 1], values[:, :start + 1])    # (C,)
        x = x + affine(attended, **layer["attention"]["out"])
        # (3) MLP
        normed = norm(x, **layer["norm_2"])           # (C,)
        hidden = affine(normed, **layer["feed_forward"]["up"])
        activated = gelu(hidden)                      # (F,)
        x = x + affine(activated, **layer["feed_forward"]["down"])
    # (4) layer norm and logits
    normed = norm(x, **params["norm"])                # (C,)
    logits = normed @ head(params, config)["weight"]  # (V,)
    return logits, {**cache, "start": start + 1}


def norm(x, weight, bias, eps=1e-5):
    """Layer norm of one vector (C,) -> (C,)."""
    C = len(x)
    # (1) centre
    centred = x - x.sum() / C                         # (C,)
    # (2) divide by the standard deviation
    variance = centred @ centred / C                  # ()
    normed = centred * (1 / math.sqrt(variance + eps))        # (C,)
    # (3) scale and shift
    return normed * weight + bias                     # (C,)


def affine(x, weight, bias):
    """Linear, of one vector (I,) -> (O,)."""
    # (1) weigh the inputs, and shift
    return x @ weight + bias                          # (O,)


def attend(q, keys, values):
    """Attention, one query a head that attends to all S tokens:
    q (H, D), keys and values (H, S, D) -> (H·D,)."""
    H, D = q.shape
    # (1) compare the scaled query with each key
    q = q * (1 / math.sqrt(D))                        # (H, D)
    scores = keys @ q[:, :, None]                     # (H, S, 1)
    # (2) exponentiate; with the largest at 0, exp cannot overflow
    top = scores.max(axis=1, keepdims=True)           # (H, 1, 1)
    powers = np.exp(scores - top)                     # (H, S, 1)
    # (3) mix the values, and divide by the sum
    mixed = powers.swapaxes(1, 2) @ values            # (H, 1, D)
    attended = mixed / powers.sum(axis=1, keepdims=True)
    return attended.reshape(H * D)                    # (H·D,)


def gelu(x):
    """GELU, without its slope: x (F,) -> (F,)."""
    # (1) the gate
    gate = np.tanh(x * (ROOT + ROOT * CUBIC * (x * x)))
    # (2) pass x through it
    return 0.5 * x * (1 + gate)                       # (F,)
