"""Linear drawn: a small product with its numbers; and a layer that learns."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart

X = np.array([[1.0, 2, 0, -1], [0, 1, 3, 1], [2, -1, 1, 0]])
WEIGHT = np.array([[1.0, 0.5], [2, -1], [0, 1], [-1, 2]])
BIAS = np.array([0.5, -1])


def picture(width):
    """x on the left, weight above, and each output where row and column cross."""
    y, _ = npgpt.layers.linear(X, WEIGHT, BIAS)
    phone = width < 500
    cell = (40, 27) if phone else (52, 29)
    left = 34 if phone else 40
    right = left + 4 * cell[0] + (26 if phone else 46)
    top = 40
    low = top + 4 * cell[1] + 42
    image = Svg(width, low + 3 * cell[1] + 78)
    image.rect(left - 3, low + cell[1] - 2, 4 * cell[0] + 4, cell[1] + 2, "box np", 4)
    image.rect(right - 3, top - 3, cell[0] + 4, 4 * cell[1] + 4, "box np", 4)
    image.rect(right - 3, low + cell[1] - 2, cell[0] + 4, cell[1] + 2, "box np", 4)
    image.step("linear-2", right - 4, top - 26, 2 * cell[0] + 8, 4 * cell[1] + 30)
    image.matrix(right, top, WEIGHT, cell, 1, name="weight")
    image.end()
    image.matrix(left, low, X, cell, 1, name="x", kind="np")
    image.step("linear-3", right - 4, low - 26, 2 * cell[0] + 8, 3 * cell[1] + 92)
    image.matrix(right, low, y - BIAS, cell, 1, name="rows @ weight")
    image.matrix(right, low + 3 * cell[1] + 32, [BIAS], cell, 1, name="bias")
    image.end()
    if phone:
        image.matrix(left, low + 3 * cell[1] + 32, [y[1]], cell, 1, name="y", note="row 1")
    else:
        further = right + 2 * cell[0] + 56
        image.matrix(further, low, y, cell, 1, name="y")
        image.text(further, top + 14, "row 1 of x, column 0 of weight:", "nt")
        terms = " + ".join(f"{a:g}·{b:g}" if b >= 0 else f"{a:g}·(−{-b:g})"
                           for a, b in zip(X[1], WEIGHT[:, 0]))
        image.text(further, top + 36, terms, "num")
        image.text(further, top + 58, f"= {X[1] @ WEIGHT[:, 0]:g}", "num")
        image.text(further, top + 80, f"and {BIAS[0]:g} more: {y[1, 0]:g}", "nt")
    for i in range(len(X)):
        image.text(left - 7, low + (i + 0.5) * cell[1] + 4, i, "nt", "end")
    return image


def learn(layer, backward, x, target, weight, bias, steps=60, rate=0.1):
    """The mean squared error before each of `steps` steps downhill."""
    errors = []
    for _ in range(steps):
        y, saved = layer(x, weight, bias)
        gap = y - target
        errors.append(float((gap * gap).mean()))
        _, grads = backward(gap / len(x), saved)
        weight = weight - rate * grads["weight"]
        bias = bias - rate * grads["bias"]
    return errors


def plot(width):
    draw = np.random.default_rng(0).normal
    x = draw(size=(256, 4))
    arrays = x, x @ WEIGHT + BIAS, np.zeros((4, 2)), np.zeros(2)
    ours = learn(npgpt.layers.linear, npgpt.layers.linear_backward, *arrays)
    theirs = learn(torchgpt.layers.linear, torchgpt.layers.linear_backward,
                   *(torch.from_numpy(a) for a in arrays))
    steps = np.arange(len(ours))
    return chart(width, {"NumPy": (steps, ours, "np"),
                         "PyTorch": (steps[::3], theirs[::3], "pt")},
                 "step", "mean squared error", y_log=True)
