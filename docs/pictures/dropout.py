"""Dropout drawn: eight features under one mask; and the mean over many masks."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from npgpt.random_stream import uniforms
from svg import Svg, chart

X = np.array([1.0, -2, 0.5, 3, -1, 2, 1.5, -0.5])
D_Y = np.array([0.5, 1, -1, 0.2, 2, -0.4, 1, 0.6])
RATE = 0.5


def picture(width):
    mask = (uniforms(X.shape, 3, 1, "picture") >= RATE) / (1 - RATE)
    y, saved = npgpt.layers.dropout(X, mask)
    d_x = npgpt.layers.dropout_backward(D_Y, saved)
    phone = width < 500
    left = 104 if phone else 116
    cell = ((width - left - 4) / 8, 34)
    image = Svg(width, 330)
    hidden = [[k == 0 for k in mask]]

    def row(y0, name, values, gone=False, kind="np"):
        image.name(0, y0 + 21, name)
        image.matrix(left, y0, [values], cell, 1, kind=kind, hidden=hidden if gone else None,
                     top=3)

    image.step("dropout-1", 0, 0, width, 330)
    row(8, "x", X)
    row(66, "dropout_mask", mask, kind="grey")
    row(124, "y", y, True)
    row(212, "d_y", D_Y)
    row(286, "d_x", d_x, True)
    for i, k in enumerate(mask):
        x = left + (i + 0.5) * cell[0] - 1
        image.text(x, 56, "×", "nt", "middle")
        if k:
            image.line(x, 101, x, 122)
            image.arrow(x, 248, x, 284)
    image.end()
    image.text(left, 196, "backward: the same mask", "nt")
    return image


def gap_after(layer, x, masks, counts):
    """How far the mean output over the first n masks is from x."""
    total, gaps = 0 * x, []
    for n, mask in enumerate(masks, 1):
        total = total + layer(x, mask)[0]
        if n in counts:
            gaps.append(float(((total / n - x) ** 2).mean() ** 0.5))
    return gaps


def plot(width):
    x = np.random.default_rng(0).normal(size=256)
    counts = [2**k for k in range(12)]
    masks = [(uniforms(x.shape, 1, n, "plot") >= 0.2) / 0.8 for n in range(counts[-1])]
    ours = gap_after(npgpt.layers.dropout, x, masks, counts)
    theirs = gap_after(torchgpt.layers.dropout, torch.from_numpy(x),
                       [torch.from_numpy(m) for m in masks], counts)
    line = [ours[0] / n**0.5 for n in counts]
    return chart(width, {"NumPy": (counts, ours, "np"), "PyTorch": (counts, theirs, "pt"),
                         "1/√n": (counts, line, "dim")},
                 "masks averaged, n", "distance from x", x_log=True, y_log=True)
