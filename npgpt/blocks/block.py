"""Block: causal attention, then an MLP, each normed before it and added
to its input (Radford et al., 2019, section 2.3)."""

from npgpt.blocks.mlp import mlp, mlp_backward
from npgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)
from npgpt.layers.layer_norm import layer_norm, layer_norm_backward


def block(x, params, heads, mask=None, dropout_masks=None, past=None):
    """x (B, T, C) -> y (B, T, C). mask narrows what a token attends to:
    itself and what came before. past: see `multi_head_attention`."""
    dropout_masks = dropout_masks or {}
    # (1) attention
    normed, saved_norm_1 = layer_norm(x, **params["norm_1"])
    attended, saved_attention = multi_head_attention(
        normed, params["attention"], heads, mask, True,
        dropout_masks, past)                          # (B, T, C)
    # (2) residual connection
    x = x + attended                                  # (B, T, C)
    # (3) MLP
    normed, saved_norm_2 = layer_norm(x, **params["norm_2"])
    mlp_out, saved_mlp = mlp(
        normed, params["feed_forward"], dropout_masks)  # (B, T, C)
    # (4) residual connection
    y = x + mlp_out                                   # (B, T, C)
    return y, (saved_norm_1, saved_attention, saved_norm_2, saved_mlp)


def block_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    # (4) residual connection: a sum hands its gradient to both terms
    d_x, d_mlp_out = d_y, d_y
    # (3) MLP
    d_normed, d_mlp = mlp_backward(d_mlp_out, saved_mlp)
    d_branch, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_x = d_x + d_branch                              # (B, T, C)
    # (2) residual connection
    d_attended = d_x
    # (1) attention
    d_normed, d_attention = multi_head_attention_backward(
        d_attended, saved_attention)
    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    d_x = d_x + d_branch                              # (B, T, C)
    return d_x, {"feed_forward": d_mlp, "norm_2": d_norm_2,
                 "attention": d_attention, "norm_1": d_norm_1}
