"""Llama's block: causal attention, then a gated MLP, each with an RMS
norm before it and added to its input (Touvron et al., 2023)."""

from torchgpt.blocks.gated_mlp import gated_mlp, gated_mlp_backward
from torchgpt.blocks.grouped_query_attention import (
    grouped_query_attention,
    grouped_query_attention_backward,
)
from torchgpt.layers.rms_norm import rms_norm, rms_norm_backward


def llama_block(x, params, heads, kv_heads, cos, sin, eps, mask=None,
                dropout_masks=None, past=None):
    """x (B, T, C) -> y (B, T, C). mask narrows what a token attends to:
    itself and what came before. heads, kv_heads, cos, sin, past: see
    `grouped_query_attention`. eps: of the norms."""
    dropout_masks = dropout_masks or {}
    # (1) attention
    normed, saved_norm_1 = rms_norm(x, eps=eps, **params["norm_1"])
    attended, saved_attention = grouped_query_attention(
        normed, params["attention"], heads, kv_heads, cos, sin, eps,
        mask, True, dropout_masks, past)              # (B, T, C)
    # (2) residual connection
    x = x + attended                                  # (B, T, C)
    # (3) MLP
    normed, saved_norm_2 = rms_norm(x, eps=eps, **params["norm_2"])
    mlp_out, saved_mlp = gated_mlp(
        normed, params["feed_forward"], dropout_masks)       # (B, T, C)
    # (4) residual connection
    y = x + mlp_out                                   # (B, T, C)
    return y, (saved_norm_1, saved_attention, saved_norm_2, saved_mlp)


def llama_block_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    saved_norm_1, saved_attention, saved_norm_2, saved_mlp = saved
    # (4) residual connection: a sum hands its gradient to both terms
    d_x, d_mlp_out = d_y, d_y
    # (3) MLP
    d_normed, d_mlp = gated_mlp_backward(d_mlp_out, saved_mlp)
    d_branch, d_norm_2 = rms_norm_backward(d_normed, saved_norm_2)
    d_x = d_x + d_branch                              # (B, T, C)
    # (2) residual connection
    d_attended = d_x
    # (1) attention
    d_normed, d_attention = grouped_query_attention_backward(
        d_attended, saved_attention)
    d_branch, d_norm_1 = rms_norm_backward(d_normed, saved_norm_1)
    d_x = d_x + d_branch                              # (B, T, C)
    return d_x, {"feed_forward": d_mlp, "norm_2": d_norm_2,
                 "attention": d_attention, "norm_1": d_norm_1}
