"""What the cases of blocks and models share: sizes, the residual stream, weights, dropout masks."""

import numpy as np

from npgpt.families.gpt2 import Config


def model(draw):
    """-> config, ids, params, {"visible", "keep"}, numbers."""
    B, T, H, D = sizes(draw)
    layers, V = draw("layers", [1, 2, 3]), draw("V", range(2, 9))
    tied, spare = draw("tied", [True, False]), draw("spare", range(3))
    dropout, mask = draw("dropout", [False, True]), draw("mask", ["none", "padding"])
    numbers = draw.numbers()
    config = Config(V, T + spare, layers, H, H * D, tied)
    visible = None
    if mask == "padding":           # the first sequence begins with pads
        pads = np.arange(T) >= (T // 2) * (np.arange(B) == 0)[:, None]
        visible = np.tri(T, dtype=bool) & pads[:, None, None, :]
    options = {"visible": visible, "keep": model_keep(numbers, B, T, config) if dropout else None}
    return config, numbers.below(V, B, T), gpt_params(numbers, config), options, numbers


def sizes(draw):
    """B, T, H, D; at least four channels, or a layer norm's gradient is
    nearly zero and all that is left of it is rounding."""
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    H = draw("H", range(1, 4))
    return B, T, H, draw("D", range(4, 6) if H == 1 else range(2, 5))


def stream(numbers, regime, B, T, C):
    """The residual stream: of order one, or large and off centre."""
    if regime == "stress":
        return numbers.normal(B, T, C, std=30.0, mean=10.0)
    return numbers.normal(B, T, C)


def linear_params(numbers, inputs, outputs):
    return {"weight": numbers.weight(inputs, outputs), "bias": numbers.normal(outputs, std=0.5)}


def norm_params(numbers, C):
    return {"weight": numbers.normal(C, std=0.3, mean=1.0), "bias": numbers.normal(C, std=0.3)}


def attention_params(numbers, C):
    return {"qkv": linear_params(numbers, C, 3 * C), "out": linear_params(numbers, C, C)}


def feed_forward_params(numbers, C):
    return {"up": linear_params(numbers, C, 4 * C), "down": linear_params(numbers, 4 * C, C)}


def block_params(numbers, C):
    return {"norm_1": norm_params(numbers, C), "attention": attention_params(numbers, C),
            "norm_2": norm_params(numbers, C), "feed_forward": feed_forward_params(numbers, C)}


def gpt_params(numbers, config):
    V, N, C = config.vocab_size, config.context_length, config.channels
    params = {"tokens": {"weight": numbers.normal(V, C)},
              "positions": {"weight": numbers.normal(N, C)},
              "blocks": [block_params(numbers, C) for _ in range(config.layers)],
              "norm": norm_params(numbers, C)}
    if not config.tied:
        params["head"] = {"weight": numbers.weight(C, V)}
    return params


def block_keep(numbers, B, T, H, C):
    return {"attention": numbers.keep(B, H, T, T), "attention_out": numbers.keep(B, T, C),
            "feed_forward_out": numbers.keep(B, T, C)}


def model_keep(numbers, B, T, config):
    H, C = config.heads, config.channels
    return {"embedding": numbers.keep(B, T, C),
            "blocks": [block_keep(numbers, B, T, H, C) for _ in range(config.layers)]}
