"""MLP: each position on its own, through F = 4C hidden features
(Vaswani et al., 2017, section 3.3)."""

from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.gelu import gelu, gelu_backward
from npgpt.layers.linear import linear, linear_backward


def mlp(x, params, dropout_masks=None):
    """x (B, T, C) -> y (B, T, C)."""
    dropout_masks = dropout_masks or {}
    # (1) up projection
    hidden, saved_up = linear(x, **params["up"])      # (B, T, F)
    # (2) GELU
    activated, saved_gelu = gelu(hidden)              # (B, T, F)
    # (3) down projection
    out, saved_down = linear(activated, **params["down"])  # (B, T, C)
    # (4) dropout
    y, saved_dropout = dropout(
        out, dropout_masks.get("feed_forward_out"))   # (B, T, C)
    return y, (saved_up, saved_gelu, saved_down, saved_dropout)


def mlp_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    saved_up, saved_gelu, saved_down, saved_dropout = saved
    # (4) dropout
    d_out = dropout_backward(d_y, saved_dropout)      # (B, T, C)
    # (3) down projection
    d_activated, d_down = linear_backward(d_out, saved_down)
    # (2) GELU
    d_hidden = gelu_backward(d_activated, saved_gelu)  # (B, T, F)
    # (1) up projection
    d_x, d_up = linear_backward(d_hidden, saved_up)   # (B, T, C)
    return d_x, {"down": d_down, "up": d_up}
