"""What the cases of Llama's blocks and model share: sizes, weights, rotations."""

import numpy as np

from npgpt.checking.components._models import drawn, dropout_masks
from npgpt.checking.components._rope import cos_and_sin
from npgpt.families import llama
from npgpt.families.llama import Config


def sizes(draw, **more):
    """-> B, T, a Config whose K heads of keys serve one or more of queries each, whose
    head size does not follow from the channels."""
    B, T = draw("B", range(1, 4)), draw("T", range(1, 5))
    K, group = draw("K", [1, 2, 3]), draw("group", [1, 2, 3])
    D, C = draw("D", [2, 4]), draw("C", range(4, 8))
    return B, T, Config(
        vocab_size=more.get("vocab_size", 1), context_length=T + more.get("spare", 0),
        layers=more.get("layers", 1), heads=K * group, kv_heads=K, channels=C, head_size=D,
        hidden=draw("F", range(1, 7)), tied=more.get("tied", True), theta=100.0,
        eps=draw("eps", [1e-5, 1e-2]), qkv_bias=draw("qkv_bias", [False, True]),
        qk_norm=draw("qk_norm", [False, True]))


def block_params(numbers, config):
    return drawn(numbers, llama.weights(config)["blocks"][0])


def heads(config):
    """What a block is told of the heads, and its eps."""
    return {"heads": config.heads, "kv_heads": config.kv_heads, "eps": config.eps}


def rotations(draw, numbers, config, B, T):
    """cos and sin, the same for all rows or each row's own."""
    order = draw("positions", ["counted", "given"])
    positions = np.arange(T)[None] if order == "counted" else numbers.below(9, B, T)
    return cos_and_sin(positions, config.head_size)


def block_masks(numbers, config, B, T):
    return dropout_masks(numbers, config, B, T, llama)["blocks"][0]
