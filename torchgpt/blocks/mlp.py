"""Feed-forward: each position thinks on its own, in F = 4C features."""

from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.gelu import gelu, gelu_backward
from torchgpt.layers.linear import linear, linear_backward


def feed_forward(x, params, keep=None):
    """x (B, T, C) -> y (B, T, C)."""
    keep = keep or {}
    # (1) widen
    wide, saved_up = linear(x, **params["up"])        # (B, T, F)
    # (2) bend
    bent, saved_gelu = gelu(wide)                     # (B, T, F)
    # (3) narrow
    narrow, saved_down = linear(bent, **params["down"])      # (B, T, C)
    # (4) drop some
    y, saved_dropout = dropout(narrow, keep.get("feed_forward_out"))
    return y, (saved_up, saved_gelu, saved_down, saved_dropout)


def feed_forward_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    saved_up, saved_gelu, saved_down, saved_dropout = saved
    # (4) drop some
    d_narrow = dropout_backward(d_y, saved_dropout)   # (B, T, C)
    # (3) narrow
    d_bent, d_down = linear_backward(d_narrow, saved_down)
    # (2) bend
    d_wide = gelu_backward(d_bent, saved_gelu)        # (B, T, F)
    # (1) widen
    d_x, d_up = linear_backward(d_wide, saved_up)     # (B, T, C)
    return d_x, {"up": d_up, "down": d_down}
