"""Post-norm block: causal attention, then an MLP, each added to its
input and the sum normed (Vaswani et al., 2017, section 3.1)."""

from torchgpt.blocks.mlp import mlp, mlp_backward
from torchgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)
from torchgpt.layers.layer_norm import layer_norm, layer_norm_backward


def post_norm_block(x, params, heads, mask=None, dropout_masks=None,
                    past=None):
    """x (B, T, C) -> y (B, T, C). params, mask, past: as `block` takes
    them; only the norms stand elsewhere."""
    dropout_masks = dropout_masks or {}
    # (1) attention
    attended, saved_attention = multi_head_attention(
        x, params["attention"], heads, mask, True, dropout_masks, past)
    # (2) residual connection, then layer norm
    x, saved_norm_1 = layer_norm(x + attended, **params["norm_1"])
    # (3) MLP
    mlp_out, saved_mlp = mlp(
        x, params["feed_forward"], dropout_masks)     # (B, T, C)
    # (4) residual connection, then layer norm
    y, saved_norm_2 = layer_norm(x + mlp_out, **params["norm_2"])
    return y, (saved_attention, saved_norm_1, saved_mlp, saved_norm_2)


def post_norm_block_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    saved_attention, saved_norm_1, saved_mlp, saved_norm_2 = saved
    # (4) residual connection, then layer norm
    d_x, d_norm_2 = layer_norm_backward(d_y, saved_norm_2)
    d_mlp_out = d_x
    # (3) MLP
    d_branch, d_mlp = mlp_backward(d_mlp_out, saved_mlp)
    d_x = d_x + d_branch                              # (B, T, C)
    # (2) residual connection, then layer norm
    d_x, d_norm_1 = layer_norm_backward(d_x, saved_norm_1)
    d_attended = d_x
    # (1) attention
    d_branch, d_attention = multi_head_attention_backward(
        d_attended, saved_attention)
    d_x = d_x + d_branch                              # (B, T, C)
    return d_x, {"norm_2": d_norm_2, "feed_forward": d_mlp,
                 "norm_1": d_norm_1, "attention": d_attention}
