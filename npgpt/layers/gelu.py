"""GELU: a smooth gate that lets large inputs through."""

import math

import numpy as np

ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def gelu(x):
    """x (...) -> y (...), about x · P(a normal draw is below x), in
    GPT-2's tanh form (Hendrycks and Gimpel, 2016)."""
    # (1) open the gate
    square = x * x                                    # (...)
    gate = np.tanh(x * (ROOT + ROOT * CUBIC * square))
    gate *= 0.5
    gate += 0.5                                       # (...), 0 to 1
    # (2) pass x through it
    y = x * gate                                      # (...)
    # (3) keep the slope dy/dx = gate + x · d gate/dx
    d_inner = 2 * ROOT + 6 * ROOT * CUBIC * square    # (...)
    slope = gate + y * (1 - gate) * d_inner           # (...)
    return y, (slope,)


def gelu_backward(d_y, saved):
    """d_y (...) -> d_x (...)."""
    (slope,) = saved
    # (3, 2, 1) follow the slope
    d_x = d_y * slope                                 # (...)
    return d_x
