"""GELU drawn: gate, output and slope; and how far the tanh form is from the exact one."""

import math

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import chart

X = np.linspace(-4, 4, 161)


def picture(width):
    y, saved = npgpt.layers.gelu(X)
    _, gate = saved
    slope = npgpt.layers.gelu_backward(np.ones_like(X), saved)
    return chart(width, {"y": (X, y, "ink"), "gate": (X, gate, "dim"), "slope": (X, slope, "np")},
                 "x", "", y_range=(-0.6, 4), notes=[(-2.2, -0.48, "a little below 0", "middle")],
                 height=330 if width > 500 else 280)


def plot(width):
    x = np.linspace(-5, 5, 201)
    exact = np.array([a * 0.5 * (1 + math.erf(a / math.sqrt(2))) for a in x])
    ours = 1000 * (npgpt.layers.gelu(x)[0] - exact)
    tensor = torch.from_numpy(x)
    theirs = 1000 * (torchgpt.layers.gelu(tensor)[0] - torch.nn.functional.gelu(tensor))
    return chart(width, {"NumPy": (x, ours, "np"),
                         "PyTorch": (x[::5], theirs.numpy()[::5], "pt")},
                 "x", "tanh form − exact form, in thousandths")
