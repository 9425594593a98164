"""Decoder: blocks one after another, each of which reads the memory,
then a layer norm (Vaswani et al., 2017, section 3.1)."""

from torchgpt.blocks.decoder_block import (
    decoder_block,
    decoder_block_backward,
)
from torchgpt.layers.layer_norm import layer_norm, layer_norm_backward


def decoder(x, memory, params, heads, mask=None, memory_mask=None,
            dropout_masks=None, past=None):
    """x (B, T, C), memory (B, S, C) -> y (B, T, C). params: {"blocks",
    "norm"}. mask, memory_mask: as `decoder_block` takes them. past: for
    each block its part of a KV cache; nothing is saved then."""
    layers = params["blocks"]
    dropout_masks = dropout_masks or {"blocks": [None] * len(layers)}
    # (1) blocks
    saved_blocks = [None] * len(layers)
    for i, layer in enumerate(layers):
        x, saved_block = decoder_block(
            x, memory, layer, heads, mask, memory_mask,
            dropout_masks["blocks"][i], past and past[i])
        if past is None:
            saved_blocks[i] = saved_block
    # (2) layer norm
    y, saved_norm = layer_norm(x, **params["norm"])
    return y, (saved_blocks, saved_norm)


def decoder_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), d_memory (B, S, C), gradients
    shaped like params."""
    saved_blocks, saved_norm = saved
    # (2) layer norm
    d_x, d_norm = layer_norm_backward(d_y, saved_norm)
    # (1) blocks: the memory is read by all, so its gradients add up
    d_memory, d_blocks = 0.0, []
    for saved_block in reversed(saved_blocks):
        d_x, d_branch, d_block = decoder_block_backward(
            d_x, saved_block)
        d_memory = d_memory + d_branch                # (B, S, C)
        d_blocks.insert(0, d_block)
    return d_x, d_memory, {"norm": d_norm, "blocks": d_blocks}
