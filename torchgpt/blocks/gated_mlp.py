"""Gated MLP: each position on its own, through F hidden features, each
of them gated by another (Shazeer, 2020)."""

from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.linear import linear, linear_backward
from torchgpt.layers.swiglu import swiglu, swiglu_backward


def gated_mlp(x, params, dropout_masks=None):
    """x (B, T, C) -> y (B, T, C)."""
    dropout_masks = dropout_masks or {}
    # (1) gate and up projections
    gate, saved_gate = linear(x, **params["gate"])    # (B, T, F)
    up, saved_up = linear(x, **params["up"])          # (B, T, F)
    # (2) SwiGLU
    hidden, saved_swiglu = swiglu(gate, up)           # (B, T, F)
    # (3) down projection
    out, saved_down = linear(hidden, **params["down"])       # (B, T, C)
    # (4) dropout
    y, saved_dropout = dropout(
        out, dropout_masks.get("feed_forward_out"))   # (B, T, C)
    return y, (saved_gate, saved_up, saved_swiglu, saved_down,
               saved_dropout)


def gated_mlp_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    (saved_gate, saved_up, saved_swiglu, saved_down,
     saved_dropout) = saved
    # (4) dropout
    d_out = dropout_backward(d_y, saved_dropout)      # (B, T, C)
    # (3) down projection
    d_hidden, d_down = linear_backward(d_out, saved_down)
    # (2) SwiGLU
    d_gate_out, d_up_out = swiglu_backward(d_hidden, saved_swiglu)
    # (1) gate and up projections: x is read by both
    d_x_up, d_up = linear_backward(d_up_out, saved_up)
    d_x_gate, d_gate = linear_backward(d_gate_out, saved_gate)
    d_x = d_x_up + d_x_gate                           # (B, T, C)
    return d_x, {"down": d_down, "up": d_up, "gate": d_gate}
