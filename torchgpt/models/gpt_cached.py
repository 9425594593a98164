"""GPT with a KV cache: read on from what was read. For generation:
nothing is saved for a backward pass."""

from npgpt.families.checks import check_ids
from torchgpt.blocks.block import block
from torchgpt.layers.embedding import embedding
from torchgpt.layers.layer_norm import layer_norm
from torchgpt.layers.linear import linear
from torchgpt.layers.masks import places_seen
from torchgpt.layers.position_embedding import positions
from torchgpt.models.gpt2 import head_weight


def gpt_cached(params, ids, cache, config, visible=None):
    """ids (B, T), the next T tokens -> logits (B, T, V), new cache.

    cache: (keys, values, start) of `empty_cache`, or what the last call
    gave; its storage is written in place. visible: None, or the
    (B, 1, T, S) of `padded_mask`, for prompts padded on the left."""
    keys, values, start = cache
    T = ids.shape[1]
    check_ids(ids, config, start)
    # (1) say what each token is, and where
    tokens, _ = embedding(ids, **params["tokens"])
    if visible is None:
        places, _ = positions(ids, **params["positions"], start=start)
    else:
        places, _ = embedding(
            places_seen(visible), **params["positions"])
    x = tokens + places                               # (B, T, C)
    # (2) look around and think, layer by layer
    for i, layer in enumerate(params["blocks"]):
        past = keys[i], values[i], start
        x, _ = block(x, layer, config.heads, visible, past=past)
    # (3) normalise
    normed, _ = layer_norm(x, **params["norm"])       # (B, T, C)
    # (4) score each token of the vocabulary
    logits, _ = linear(normed, head_weight(params, config))
    return logits, (keys, values, start + T)
