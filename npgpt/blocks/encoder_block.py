"""Encoder block: attention in which every position sees all others,
then an MLP, each normed before it and added to its input (Vaswani et
al., 2017, section 3.1; the norms first, as in GPT-2)."""

from npgpt.blocks.mlp import mlp, mlp_backward
from npgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward


def encoder_block(x, params, heads, mask=None, dropout_masks=None):
    """x (B, S, C) -> y (B, S, C). Nothing is causal; mask, broadcast to
    (B, H, S, S), hides padding."""
    dropout_masks = dropout_masks or {}
    # (1) attention
    normed, saved_norm_1 = layer_norm(x, **params["norm_1"])
    attended, saved_attention = multi_head_attention(
        normed, params["attention"], heads, mask, False,
        dropout_masks)                                # (B, S, C)
    # (2) residual connection
    x = x + attended                                  # (B, S, C)
    # (3) MLP
    normed, saved_norm_2 = layer_norm(x, **params["norm_2"])
    mlp_out, saved_mlp = mlp(
        normed, params["feed_forward"], dropout_masks)       # (B, S, C)
    # (4) residual connection
    y = x + mlp_out                                   # (B, S, C)
    return y, (saved_norm_1, saved_attention, saved_norm_2, saved_mlp)


def encoder_block_backward(d_y, saved):
    """d_y (B, S, C) -> d_x (B, S, C), gradients shaped like params."""
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    # (4) residual connection: a sum hands its gradient to both terms
    d_x, d_mlp_out = d_y, d_y
    # (3) MLP
    d_normed, d_mlp = mlp_backward(d_mlp_out, saved_mlp)
    d_branch, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_x = d_x + d_branch                              # (B, S, C)
    # (2) residual connection
    d_attended = d_x
    # (1) attention
    d_normed, d_attention = multi_head_attention_backward(
        d_attended, saved_attention)
    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    d_x = d_x + d_branch                              # (B, S, C)
    return d_x, {"feed_forward": d_mlp, "norm_2": d_norm_2,
                 "attention": d_attention, "norm_1": d_norm_1}
