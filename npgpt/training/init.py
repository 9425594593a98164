"""The weights before training: small, random, the same in both
halves."""

import math

import numpy as np

from npgpt.random_stream import normals

STD = 0.02


def init_gpt(config, seed=1, dtype=np.float32):
    """-> params: weights of standard deviation 0.02 (Radford et al.,
    2018, section 4.1), those that write to the stream divided by
    sqrt(2 · layers) (2019, section 2.3); biases 0, norm scales 1."""
    V, N, C, F = (config.vocab_size, config.context_length,
                  config.channels, config.hidden)

    def weight(name, shape, std=STD):
        draw = std * normals(shape, seed, 0, f"init.{name}")
        return {"weight": draw.astype(dtype)}

    def linear(name, shape, std=STD):
        bias = np.zeros(shape[1], dtype)
        return {**weight(name, shape, std), "bias": bias}

    def norm():
        return {"weight": np.ones(C, dtype), "bias": np.zeros(C, dtype)}

    out_std = STD / math.sqrt(2 * config.layers)
    params = {
        "tokens": weight("tokens", (V, C)),
        "positions": weight("positions", (N, C)),
        "blocks": [{
            "norm_1": norm(),
            "attention": {
                "qkv": linear(f"blocks.{i}.attention.qkv", (C, 3 * C)),
                "out": linear(
                    f"blocks.{i}.attention.out", (C, C), out_std)},
            "norm_2": norm(),
            "feed_forward": {
                "up": linear(f"blocks.{i}.feed_forward.up", (C, F)),
                "down": linear(
                    f"blocks.{i}.feed_forward.down", (F, C), out_std)},
        } for i in range(config.layers)],
        "norm": norm(),
    }
    if not config.tied:
        params["head"] = weight("head", (C, V))
    return params
