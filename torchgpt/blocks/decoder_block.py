"""Decoder block: causal attention, cross-attention to the memory, then
an MLP, each normed before it and added to its input (Vaswani et al.,
2017, section 3.1; the norms first, as in GPT-2)."""

from torchgpt.blocks.cross_attention import (
    cross_attention,
    cross_attention_backward,
)
from torchgpt.blocks.mlp import mlp, mlp_backward
from torchgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)
from torchgpt.layers.layer_norm import layer_norm, layer_norm_backward


def decoder_block(x, memory, params, heads, mask=None, memory_mask=None,
                  dropout_masks=None, past=None):
    """x (B, T, C), memory (B, S, C) -> y (B, T, C).

    mask narrows which tokens of its own a token attends to: itself and
    what came before. memory_mask: see `cross_attention`. past: as
    `block` takes it, with the memory's keys and values in "memory"."""
    dropout_masks = dropout_masks or {}
    # (1) attention
    normed, saved_norm_1 = layer_norm(x, **params["norm_1"])
    attended, saved_attention = multi_head_attention(
        normed, params["attention"], heads, mask, True,
        dropout_masks, past)                          # (B, T, C)
    # (2) residual connection
    x = x + attended                                  # (B, T, C)
    # (3) cross-attention
    normed, saved_norm_2 = layer_norm(x, **params["norm_2"])
    attended, saved_cross = cross_attention(
        normed, memory, params["cross_attention"], heads, memory_mask,
        dropout_masks, past and past["memory"])       # (B, T, C)
    # (4) residual connection
    x = x + attended                                  # (B, T, C)
    # (5) MLP
    normed, saved_norm_3 = layer_norm(x, **params["norm_3"])
    mlp_out, saved_mlp = mlp(
        normed, params["feed_forward"], dropout_masks)       # (B, T, C)
    # (6) residual connection
    y = x + mlp_out                                   # (B, T, C)
    return y, (saved_norm_1, saved_attention, saved_norm_2, saved_cross,
               saved_norm_3, saved_mlp)


def decoder_block_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), d_memory (B, S, C), gradients
    shaped like params."""
    (saved_norm_1, saved_attention, saved_norm_2, saved_cross,
     saved_norm_3, saved_mlp) = saved
    # (6) residual connection: a sum hands its gradient to both terms
    d_x, d_mlp_out = d_y, d_y
    # (5) MLP
    d_normed, d_mlp = mlp_backward(d_mlp_out, saved_mlp)
    d_branch, d_norm_3 = layer_norm_backward(d_normed, saved_norm_3)
    d_x = d_x + d_branch                              # (B, T, C)
    # (4) residual connection
    d_attended = d_x
    # (3) cross-attention
    d_normed, d_memory, d_cross = cross_attention_backward(
        d_attended, saved_cross)
    d_branch, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_x = d_x + d_branch                              # (B, T, C)
    # (2) residual connection
    d_attended = d_x
    # (1) attention
    d_normed, d_attention = multi_head_attention_backward(
        d_attended, saved_attention)
    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    d_x = d_x + d_branch                              # (B, T, C)
    return d_x, d_memory, {
        "feed_forward": d_mlp, "norm_3": d_norm_3,
        "cross_attention": d_cross, "norm_2": d_norm_2,
        "attention": d_attention, "norm_1": d_norm_1}
