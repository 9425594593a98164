"""The attention probabilities of a text, block by block, taken while the model runs."""

from typing import Any

import numpy as np

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
