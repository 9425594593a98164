"""SiLU drawn: gate, output and slope; and beside GELU."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import chart

X = np.linspace(-6, 6, 241)


def picture(width):
    y, saved = npgpt.layers.silu(X)
    _, gate = saved
    slope = npgpt.layers.silu_backward(np.ones_like(X), saved)
    return chart(width, {"y": (X, y, "ink"), "gate": (X, gate, "dim"), "slope": (X, slope, "np")},
                 "x", "", y_range=(-0.6, 6), notes=[(-2.6, -0.5, "a little below 0", "middle")],
                 height=330 if width > 500 else 280)


def plot(width):
    gelu, _ = npgpt.layers.gelu(X)
    theirs, _ = torchgpt.layers.silu(torch.from_numpy(X))
    return chart(width, {"SiLU, NumPy": (X, npgpt.layers.silu(X)[0], "np"),
                         "SiLU, PyTorch": (X[::8], theirs.numpy()[::8], "pt"),
                         "GELU": (X, gelu, "dim")}, "x", "")
