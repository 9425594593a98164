"""Llama: from token ids to the logits of the next token, and back
(Touvron et al., 2023)."""

from npgpt.families.llama import (
    FILES,
    Config,
    cache_shapes,
    dropout_shapes,
    products,
    weights,
)
from torchgpt.blocks.llama_block import (
    llama_block,
    llama_block_backward,
)
from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.embedding import embedding, embedding_backward
from torchgpt.layers.linear import linear, linear_backward
from torchgpt.layers.masks import padded_positions
from torchgpt.layers.rms_norm import rms_norm, rms_norm_backward
from torchgpt.layers.rope import rope_angles

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
    # (1) token embedding
    x, saved_tokens = embedding(ids, **params["tokens"])     # (B, T, C)
    # (2) dropout
    x, saved_dropout = dropout(x, dropout_masks.get("embedding"))
    # (3) the rotations of the positions
    if positions is None:
        T = ids.shape[1]
        positions = padded_positions([0], T, start + T, x)   # (1, T)
    cos, sin = rope_angles(
        positions, config.head_size, config.theta, x)
    # (4) blocks
    saved_blocks = [None] * config.layers
    for i, layer in enumerate(params["blocks"]):
        past = None
        if cache is not None:
            past = {**cache["blocks"][i], "start": start}
        x, saved_blocks[i] = llama_block(
            x, layer, config.heads, config.kv_heads, cos, sin,
            config.eps, mask, block_masks[i], past)
        if cache is not None:  # no backward pass follows
            saved_blocks[i] = None
    if cache is not None:
        x = x[:, -1:]                                 # (B, 1, C)
    # (5) RMS norm
    normed, saved_norm = rms_norm(x, eps=config.eps, **params["norm"])
    # (6) logits
    logits, saved_head = linear(normed, **head(params, config))
    if cache is not None:
        return logits, {**cache, "start": start + ids.shape[1]}
    return logits, (saved_tokens, saved_dropout, saved_blocks,
                    saved_norm, saved_head, config.tied)


def backward(d_logits, saved):
    """d_logits (B, T, V) -> gradients shaped like params."""
    (saved_tokens, saved_dropout, saved_blocks,
     saved_norm, saved_head, tied) = saved
    # (6) logits
    d_normed, d_head = linear_backward(d_logits, saved_head)
    # (5) RMS norm
    d_x, d_norm = rms_norm_backward(d_normed, saved_norm)
    # (4) blocks
    d_blocks = []
    for saved_block in reversed(saved_blocks):
        d_x, d_block = llama_block_backward(d_x, saved_block)
        d_blocks.insert(0, d_block)
    # (3) the rotations of the positions: constants
    # (2) dropout
    d_x = dropout_backward(d_x, saved_dropout)        # (B, T, C)
    # (1) token embedding
    d_tokens = embedding_backward(d_x, saved_tokens)
    grads = {"norm": d_norm, "blocks": d_blocks, "tokens": d_tokens}
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
