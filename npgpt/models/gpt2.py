"""GPT-2: from token ids to the logits of the next token, and back
(Radford et al., 2019)."""

from npgpt.blocks.block import block, block_backward
from npgpt.families.gpt2 import (
    FILES,
    Config,
    cache_shapes,
    dropout_shapes,
    products,
    weights,
)
from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.embedding import embedding, embedding_backward
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward
from npgpt.layers.linear import linear, linear_backward
from npgpt.layers.position_embedding import (
    position_embedding,
    position_embedding_backward,
)

__all__ = [
    "FILES", "Config", "backward", "cache_shapes", "dropout_shapes",
    "forward", "products", "weights",
]


def forward(params, ids, config, *, mask=None, positions=None,
            dropout_masks=None, cache=None):
    """ids (B, T) -> logits (B, T, V), saved.

    Each token attends to itself and to what came before; mask,
    broadcast to (B, H, T, S), hides more. positions (B, T): None counts
    from 0, or from the cache's end. With a cache: the logits of the
    last token alone, (B, 1, V), and the cache for the next tokens; its
    storage is written in place, and nothing is saved for a backward
    pass."""
    dropout_masks = dropout_masks or {}
    block_masks = dropout_masks.get("blocks") or [None] * config.layers
    start = 0 if cache is None else cache["start"]
    # (1) token embedding plus position embedding
    token_emb, saved_tokens = embedding(ids, **params["tokens"])
    position_emb, saved_positions = position_embedding(
        ids, positions=positions, start=start, **params["positions"])
    x = token_emb + position_emb                      # (B, T, C)
    # (2) dropout
    x, saved_dropout = dropout(x, dropout_masks.get("embedding"))
    # (3) blocks
    saved_blocks = [None] * config.layers
    for i, layer in enumerate(params["blocks"]):
        past = None
        if cache is not None:
            past = {**cache["blocks"][i], "start": start}
        x, saved_blocks[i] = block(
            x, layer, config.heads, mask, block_masks[i], past)
        if cache is not None:  # no backward pass follows
            saved_blocks[i] = None
    if cache is not None:
        x = x[:, -1:]                                 # (B, 1, C)
    # (4) layer norm
    normed, saved_norm = layer_norm(x, **params["norm"])
    # (5) logits
    logits, saved_head = linear(normed, **head(params, config))
    if cache is not None:
        return logits, {**cache, "start": start + ids.shape[1]}
    return logits, (saved_tokens, saved_positions, saved_dropout,
                    saved_blocks, saved_norm, saved_head, config.tied)


def backward(d_logits, saved):
    """d_logits (B, T, V) -> gradients shaped like params."""
    (saved_tokens, saved_positions, saved_dropout,
     saved_blocks, saved_norm, saved_head, tied) = saved
    # (5) logits
    d_normed, d_head = linear_backward(d_logits, saved_head)
    # (4) layer norm
    d_x, d_norm = layer_norm_backward(d_normed, saved_norm)
    # (3) blocks
    d_blocks = []
    for saved_block in reversed(saved_blocks):
        d_x, d_block = block_backward(d_x, saved_block)
        d_blocks.insert(0, d_block)
    # (2) dropout
    d_x = dropout_backward(d_x, saved_dropout)        # (B, T, C)
    # (1) token embedding plus position embedding
    d_tokens = embedding_backward(d_x, saved_tokens)
    d_positions = position_embedding_backward(d_x, saved_positions)
    grads = {"norm": d_norm, "blocks": d_blocks,
             "positions": d_positions, "tokens": d_tokens}
    if not tied:
        grads["head"] = d_head
    elif d_head:  # one weight, used twice: its gradients add up
        d_tokens["weight"] = d_tokens["weight"] + d_head["weight"].T
    return grads


def head(params, config):
    """-> {"weight": (C, V)}: the head's own, or the token embedding,
    transposed."""
    if config.tied:
        tokens = params["tokens"]
        return {**tokens, "weight": tokens["weight"].T}
    return params["head"]
