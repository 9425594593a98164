"""SwiGLU: one projection of the input, after SiLU, gates another
(Shazeer, 2020)."""

import torch

from torchgpt.layers.silu import silu, silu_backward


def swiglu(gate, up):
    """gate and up (..., F) -> y (..., F), silu(gate) · up."""
    # (1) SiLU of the gate
    activated, saved_silu = silu(gate)                # (..., F)
    # (2) times the other projection
    y = activated * up                                # (..., F)
    return y, (activated, up, saved_silu)


def swiglu_backward(d_y, saved):
    """d_y (..., F) -> d_gate and d_up (..., F)."""
    activated, up, saved_silu = saved
    # (2) times the other projection
    d_activated = d_y * up                            # (..., F)
    d_up = d_y * activated                            # (..., F)
    # (1) SiLU of the gate
    d_gate = silu_backward(d_activated, saved_silu)   # (..., F)
    return d_gate, d_up


def swiglu_reference(gate, up):
    """The product, with PyTorch's own operator for SiLU."""
    return torch.mul(torch.nn.functional.silu(gate), up)
