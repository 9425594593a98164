"""Encoder: blocks one after another, then a layer norm. What it gives
for a sequence is the memory (Vaswani et al., 2017, section 3.1)."""

from npgpt.blocks.encoder_block import (
    encoder_block,
    encoder_block_backward,
)
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward


def encoder(x, params, heads, mask=None, dropout_masks=None):
    """x (B, S, C) -> memory (B, S, C). params: {"blocks", "norm"}.
    mask: as `encoder_block` takes it, the same in each block."""
    layers = params["blocks"]
    dropout_masks = dropout_masks or {"blocks": [None] * len(layers)}
    # (1) blocks
    saved_blocks = [None] * len(layers)
    for i, layer in enumerate(layers):
        x, saved_blocks[i] = encoder_block(
            x, layer, heads, mask, dropout_masks["blocks"][i])
    # (2) layer norm
    memory, saved_norm = layer_norm(x, **params["norm"])
    return memory, (saved_blocks, saved_norm)


def encoder_backward(d_memory, saved):
    """d_memory (B, S, C) -> d_x (B, S, C), gradients shaped like
    params."""
    saved_blocks, saved_norm = saved
    # (2) layer norm
    d_x, d_norm = layer_norm_backward(d_memory, saved_norm)
    # (1) blocks
    d_blocks = []
    for saved_block in reversed(saved_blocks):
        d_x, d_block = encoder_block_backward(d_x, saved_block)
        d_blocks.insert(0, d_block)
    return d_x, {"norm": d_norm, "blocks": d_blocks}
