"""SiLU: x times its own sigmoid, a smooth ReLU (Elfwing, Uchibe and
Doya, 2018)."""

import torch


def silu(x):
    """x (...) -> y (...), x · σ(x), with σ(x) = 1 / (1 + exp(−x))."""
    # (1) the sigmoid; tanh cannot overflow, as exp(−x) can
    gate = 0.5 * torch.tanh(0.5 * x) + 0.5            # (...), 0 to 1
    # (2) times x
    y = x * gate                                      # (...)
    return y, (x, gate)


def silu_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    x, gate = saved
    # (2) times x: each factor gets d_y times the other
    d_gate = d_y * x                                  # (...)
    d_factor = d_y * gate                             # (...)
    # (1) the sigmoid: its derivative is σ · (1 − σ)
    d_x = d_factor + d_gate * gate * (1 - gate)       # (...)
    return d_x


def silu_reference(x):
    """PyTorch's own operator."""
    return torch.nn.functional.silu(x)
