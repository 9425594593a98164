"""GELU: a smooth gate that lets large inputs through."""

import math

import torch

ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def gelu(x):
    """x (...) -> y (...), about x · P(a normal draw is below x), in
    GPT-2's tanh form (Hendrycks and Gimpel, 2016)."""
    # (1) open the gate
    inner = ROOT * (x + CUBIC * x * x * x)            # (...)
    gate = 0.5 * torch.tanh(inner) + 0.5              # (...), 0 to 1
    # (2) pass x through it
    y = x * gate                                      # (...)
    return y, (x, gate)


def gelu_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    x, gate = saved
    # (2) pass x through it: each factor gets d_y times the other
    d_gate = d_y * x                                  # (...)
    d_factor = d_y * gate                             # (...)
    # (1) open the gate: tanh' = 1 − tanh², so the gate's derivative
    #     is 2 · gate · (1 − gate)
    d_inner = 2 * d_gate * gate * (1 - gate)          # (...)
    slope = ROOT * (1 + 3 * CUBIC * x * x)            # (...)
    d_x = d_factor + d_inner * slope                  # (...)
    return d_x


def gelu_reference(x):
    """PyTorch's own operator."""
    return torch.nn.functional.gelu(x, approximate="tanh")
