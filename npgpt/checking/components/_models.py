"""What the cases of blocks and models share: sizes, the residual stream, weights, dropout masks."""

import numpy as np

from npgpt.families import gpt2
from npgpt.families.gpt2 import Config
from npgpt.tree import tree_map, tree_map_with_path


def model(draw):
    """-> config, ids, params, {"mask", "positions", "dropout_masks"}, numbers."""
    B, T, H, D = sizes(draw)
    layers, V = draw("layers", [1, 2, 3]), draw("V", range(2, 9))
    tied, spare = draw("tied", [True, False]), draw("spare", range(3))
    dropout, mask = draw("dropout", [False, True]), draw("mask", ["none", "padding"])
    order = draw("positions", ["counted", "given"])
    numbers = draw.numbers()
    config = Config(V, T + spare, layers, H, H * D, tied)
    options = {"mask": None, "positions": None, "dropout_masks": None}
    if mask == "padding":           # the first sequence begins with pads
        pads = np.arange(T) >= (T // 2) * (np.arange(B) == 0)[:, None]
        options["mask"] = pads[:, None, None, :]
    if dropout:
        options["dropout_masks"] = dropout_masks(numbers, config, B, T)
    if order == "given":            # some of them twice
        options["positions"] = numbers.below(T + spare, B, T)
    return config, numbers.below(V, B, T), model_params(numbers, config), options, numbers


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


def block_params(numbers, C, family=gpt2):
    return drawn(numbers, block_weights(C, family))


def attention_params(numbers, C, family=gpt2):
    return drawn(numbers, block_weights(C, family)["attention"])


def mlp_params(numbers, C, family=gpt2):
    return drawn(numbers, block_weights(C, family)["feed_forward"])


def block_weights(C, family):
    """What the family says of a block; all other sizes are 1."""
    config = family.Config(vocab_size=1, context_length=1, layers=1, heads=1, channels=C)
    return family.weights(config)["blocks"][0]


def model_params(numbers, config, family=gpt2):
    return drawn(numbers, family.weights(config))


def drawn(numbers, weights):
    """Weights of order one in the shapes that a family gives: norm scales
    around 1, embeddings of order one, products by 1/√inputs."""
    def draw(path, weight):
        shape, layer = weight.shape, path.split(".")[-2]
        if path.endswith("bias"):
            return numbers.normal(*shape, std=0.3 if "norm" in layer else 0.5)
        if "norm" in layer:
            return numbers.normal(*shape, std=0.3, mean=1.0)
        return numbers.normal(*shape) if layer in ("tokens", "positions") else (
            numbers.weight(*shape))

    return tree_map_with_path(draw, weights)


def block_masks(numbers, B, T, H, C):
    return {"attention": numbers.dropout_mask(B, H, T, T),
            "attention_out": numbers.dropout_mask(B, T, C),
            "feed_forward_out": numbers.dropout_mask(B, T, C)}


def dropout_masks(numbers, config, B, T, family=gpt2):
    return tree_map(lambda shape: numbers.dropout_mask(*shape), family.dropout_shapes(config, B, T))
