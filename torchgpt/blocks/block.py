"""Block: look around, then think; each adds to the stream."""

from torchgpt.blocks.mlp import (
    feed_forward,
    feed_forward_backward,
)
from torchgpt.blocks.multi_head_attention import multi_head, multi_head_backward
from torchgpt.layers.layer_norm import layer_norm, layer_norm_backward


def block(x, params, heads, visible=None, keep=None, past=None):
    """x (B, T, C) -> y (B, T, C); pre-norm, as in GPT-2."""
    keep = keep or {}
    # (1) look around
    normed, saved_norm_1 = layer_norm(x, **params["norm_1"])
    seen, saved_attention = multi_head(
        normed, params["attention"], heads, visible, keep, past)
    # (2) add to the stream
    x = x + seen                                      # (B, T, C)
    # (3) think
    normed, saved_norm_2 = layer_norm(x, **params["norm_2"])
    thought, saved_feed_forward = feed_forward(
        normed, params["feed_forward"], keep)
    # (4) add to the stream
    y = x + thought                                   # (B, T, C)
    return y, (saved_norm_1, saved_attention,
               saved_norm_2, saved_feed_forward)


def block_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    (saved_norm_1, saved_attention,
     saved_norm_2, saved_feed_forward) = saved
    # (4) add to the stream: a sum hands its gradient to both terms
    d_x, d_thought = d_y, d_y
    # (3) think
    d_normed, d_feed_forward = feed_forward_backward(
        d_thought, saved_feed_forward)
    d_through, d_norm_2 = layer_norm_backward(d_normed, saved_norm_2)
    d_x = d_x + d_through                             # (B, T, C)
    # (2) add to the stream
    d_seen = d_x
    # (1) look around
    d_normed, d_attention = multi_head_backward(
        d_seen, saved_attention)
    d_through, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)
    d_x = d_x + d_through                             # (B, T, C)
    return d_x, {"norm_1": d_norm_1, "attention": d_attention,
                 "norm_2": d_norm_2, "feed_forward": d_feed_forward}
