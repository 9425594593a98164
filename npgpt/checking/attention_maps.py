"""The attention probabilities of a text, block by block, taken while the model runs."""

from typing import Any

import numpy as np

from npgpt.blocks import cross_attention
from npgpt.layers import attention, blockwise_attention, flash_attention
from npgpt.replacing import replaced


def attention_maps(model: Any, params: dict, ids: list[int], config: Any) -> list:
    """Each block's probabilities (H, T, T): row t is how token t's attention is divided
    among the tokens up to it."""
    maps = []

    def watched(q, k, v, mask=None, causal=False, dropout_mask=None):
        y, saved = attention(q, k, v, mask, causal, dropout_mask)   # in one block
        maps.append(saved[3][0])
        return y, saved

    with replaced("npgpt", [(blockwise_attention, watched), (flash_attention, watched)]):
        model.forward(params, np.array([ids]), config)
    return maps


def cross_attention_maps(model: Any, params: dict, batch: dict, config: Any) -> list:
    """Of an encoder–decoder, for the first pair of a batch: each decoder block's
    probabilities (H, T, S), row t how token t of the target divides its attention among
    the tokens of the source."""
    maps, original = [], cross_attention

    def watched(x, memory, params, heads, mask=None, dropout_masks=None, past=None):
        y, saved = original(x, memory, params, heads, mask, dropout_masks, past)
        _, _, _, (_, _, _, probs, *_), *_ = saved
        maps.append(probs[0])
        return y, saved

    with replaced("npgpt", [(cross_attention, watched)]):
        given = {name: tree for name, tree in batch.items() if name != "targets"}
        model.forward(params, given.pop("inputs"), config, **given)
    return maps
