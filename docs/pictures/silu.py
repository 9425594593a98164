"""SiLU drawn: gate, output and slope; and beside GELU and ReLU."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import chart

X = np.linspace(-5, 5, 201)


def picture(width):
    y, saved = npgpt.layers.silu(X)
    _, gate = saved
    slope = npgpt.layers.silu_backward(np.ones_like(X), saved)
    return chart(width, {"y": (X, y, "ink"), "gate": (X, gate, "dim"), "slope": (X, slope, "np")},
                 "x", "", y_range=(-0.8, 5), notes=[(-1.3, -0.7, "a little below 0", "middle")],
                 height=330 if width > 500 else 280)


def plot(width):
    x = np.linspace(-5, 1.5, 131)
    theirs, _ = torchgpt.layers.silu(torch.from_numpy(x[::8].copy()))
    return chart(width, {"ReLU": (x, np.maximum(x, 0), "dim"),
                         "GELU": (x, npgpt.layers.gelu(x)[0], "ink"),
                         "SiLU": (x, npgpt.layers.silu(x)[0], "np"),
                         "PyTorch": (x[::8], theirs.numpy(), "pt")},
                 "x", "y", y_range=(-0.5, 1.5), height=330 if width > 500 else 280)
