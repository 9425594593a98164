"""Embedding drawn: rows looked up and gradients added back; and what a naive scatter loses."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart

WORDS = ["a", "cat", "dog", "sat", "the", "."]
WEIGHT = np.array([[0.1, 0.4, -0.2], [0.9, -0.3, 0.5], [0.8, -0.4, 0.7],
                   [-0.5, 0.6, 0.1], [0.2, 0.3, -0.6], [-0.7, -0.1, 0.2]])
IDS = np.array([4, 1, 4])
D_Y = np.array([[0.3, -0.1, 0.2], [0.1, 0.4, -0.3], [0.2, 0.1, 0.1]])


def picture(width):
    y, saved = npgpt.layers.embedding(IDS, WEIGHT)
    d_weight = npgpt.layers.embedding_backward(D_Y, saved)["weight"]
    phone = width < 500
    cell = (36, 25) if phone else (48, 27)
    left, top = (52, 46) if phone else (62, 46)
    right = left + 3 * cell[0] + (64 if phone else 190)
    gap = 6 * cell[1] + 74
    image = Svg(width, top + gap + 6 * cell[1] + 8)

    def one_way(y0, table, table_name, rows, rows_name, back):
        image.matrix(left, y0, table, cell, 1, rows=[f"{i} {w}" for i, w in enumerate(WORDS)],
                     name=table_name, note="" if phone else f"({len(WORDS)}, 3)")
        start = y0 + 1.5 * cell[1]
        image.matrix(right, start, rows, cell, 1, name=rows_name)
        for position, i in enumerate(IDS):
            a = left + 3 * cell[0] + 3, y0 + (i + 0.5) * cell[1]
            b = right - 5, start + (position + 0.5) * cell[1]
            if back:
                image.arrow(*b, *a)
            else:
                image.arrow(*a, *b)
            if not phone:
                image.text(right + 3 * cell[0] + 10, b[1] + 4, f"id {i}", "nt")

    image.step("embedding-1", 0, 0, width, top + gap + 6 * cell[1] + 8)
    one_way(top, WEIGHT, "weight", y, "y", False)
    one_way(top + gap, d_weight, "d_weight", D_Y, "d_y", True)
    image.end()
    return image


def lost(layer_backward, naive, ids, d_y, weight):
    """The share of the gradient's size that the naive scatter misses."""
    whole = layer_backward(d_y, (ids, weight))["weight"]
    return float(abs(whole - naive(ids, d_y, weight)).sum() / abs(whole).sum())


def numpy_naive(ids, d_y, weight):
    d_weight = np.zeros_like(weight)
    d_weight[ids] += d_y
    return d_weight


def torch_naive(ids, d_y, weight):
    d_weight = torch.zeros_like(weight)
    d_weight[ids] += d_y
    return d_weight


def plot(width):
    rng = np.random.default_rng(0)
    weight = np.zeros((256, 8))
    sizes, ours, theirs = [2**k for k in range(2, 13)], [], []
    for n in sizes:
        ids = rng.integers(0, 256, n)
        d_y = rng.uniform(size=(n, 8))
        ours.append(100 * lost(npgpt.layers.embedding_backward, numpy_naive, ids, d_y, weight))
        theirs.append(100 * lost(torchgpt.layers.embedding_backward, torch_naive,
                                 *(torch.from_numpy(a) for a in (ids, d_y, weight))))
    return chart(width, {"NumPy": (sizes, ours, "np"), "PyTorch": (sizes, theirs, "pt")},
                 "ids in the batch, out of 256", "% of the gradient lost", x_log=True,
                 y_range=(0, 100))
