"""One token through the whole model, on one page: what `gpt_cached`
computes for a single sequence, on vectors and with nothing kept for a
backward pass. A small model writes almost twice as fast this way."""

import math

import torch

from torchgpt.layers.gelu import CUBIC, ROOT
from torchgpt.models.gpt2 import head_weight


def gpt_step(params, token, cache, config):
    """token: the next id -> its logits (V,), new cache.

    cache: as `gpt_cached` takes it, of batch 1, not yet full; its
    storage is written in place."""
    keys, values, start = cache
    H, D = config.heads, config.head_size
    # (1) say what the token is, and where
    place = params["positions"]["weight"][start]      # (C,)
    x = params["tokens"]["weight"][token] + place     # (C,)
    for i, layer in enumerate(params["blocks"]):
        # (2) look around
        normed = norm(x, **layer["norm_1"])           # (C,)
        qkv = affine(normed, **layer["attention"]["qkv"])     # (3C,)
        q, k, v = qkv.reshape(3, H, D)                # (H, D) each
        keys[i, 0, :, start] = k
        values[i, 0, :, start] = v
        seen = look(q, keys[i, 0, :, :start + 1],
                    values[i, 0, :, :start + 1])      # (C,)
        x = x + affine(seen, **layer["attention"]["out"])     # (C,)
        # (3) think
        normed = norm(x, **layer["norm_2"])           # (C,)
        wide = affine(normed, **layer["feed_forward"]["up"])  # (F,)
        bent = bend(wide)                             # (F,)
        x = x + affine(bent, **layer["feed_forward"]["down"])     # (C,)
    # (4) score each token of the vocabulary
    normed = norm(x, **params["norm"])                # (C,)
    logits = normed @ head_weight(params, config)     # (V,)
    return logits, (keys, values, start + 1)


def norm(x, weight, bias, eps=1e-5):
    """Layer norm of one vector (C,) -> (C,)."""
    C = len(x)
    # (1) centre
    centred = x - x.sum() / C                         # (C,)
    # (2) divide by the standard deviation
    variance = centred @ centred / C                  # ()
    normed = centred * torch.rsqrt(variance + eps)    # (C,)
    # (3) scale and shift
    return normed * weight + bias                     # (C,)


def affine(x, weight, bias):
    """Linear, of one vector (I,) -> (O,)."""
    # (1) weigh the inputs, and shift
    return x @ weight + bias                          # (O,)


def look(q, keys, values):
    """Attention, one query a head that may see all S tokens: q (H, D),
    keys and values (H, S, D) -> (H·D,)."""
    H, D = q.shape
    # (1) compare the scaled query with each key
    q = q * (1 / math.sqrt(D))                        # (H, D)
    scores = keys @ q[:, :, None]                     # (H, S, 1)
    # (2) exponentiate; with the largest at 0, exp cannot overflow
    top = scores.amax(dim=1, keepdim=True)            # (H, 1, 1)
    powers = torch.exp(scores - top)                  # (H, S, 1)
    # (3) mix the values, and divide by the sum
    mixed = powers.transpose(1, 2) @ values           # (H, 1, D)
    seen = mixed / powers.sum(dim=1, keepdim=True)    # (H, 1, D)
    return seen.reshape(H * D)                        # (H·D,)


def bend(x):
    """GELU, without its slope: x (F,) -> (F,)."""
    # (1) open the gate
    gate = torch.tanh(x * (ROOT + ROOT * CUBIC * (x * x)))
    # (2) pass x through it
    return 0.5 * x * (1 + gate)                       # (F,)
