"""Dropout drawn: two words under a mask; forty sensors with and without; the mean of masks."""

from functools import lru_cache
from itertools import product

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from npgpt.layers import dropout, dropout_backward, linear, linear_backward
from npgpt.random_stream import uniforms
from svg import Svg, chart, printed

RATE = 0.5
FEATURES = ["small", "furry", "purrs", "plays"]
X = np.array([[1.0, 1.5, 2.0, 0.5],          # cat
              [-0.5, 1.0, 0.0, 2.0]])        # dog
MASK = np.array([[2.0, 0.0, 2.0, 0.0], [0.0, 2.0, 2.0, 2.0]])
D_Y = np.array([[-0.5, 0.3, -0.2, 0.4], [0.1, -0.6, 0.2, -0.3]])


def worked():
    without, with_mask = (sensors(rate) for rate in (0.0, RATE))
    sums = [float(X[0] @ (np.array(active) / (1 - RATE))) for active in product((0, 1), repeat=4)]
    return {"dropout": {
        "args": {"x": X, "dropout_mask": MASK}, "d_y": D_Y,
        "names": {"words": ["cat", "dog"], "cf": FEATURES, "cat": 0, "dog": 1, "purrs": 2,
                  "furry": 1, "without": without, "with_mask": with_mask, "sums": sums,
                  "floor": 0.5**2 + 1 / 41, "spread": lambda found: found[2].std()}}}


@lru_cache(maxsize=8)
def sensors(rate, seed=0, examples=50, features=40, steps=600, lr=0.02):
    """Forty sensors show one temperature, each with a noise of its own. A linear layer learns
    it from 50 examples; the mean squared error on those and on 2,000 new ones, and its weights."""
    draw = np.random.default_rng(seed)

    def data(count):
        truth = draw.normal(size=(count, 1))
        return (truth + draw.normal(size=(count, features)),
                truth + 0.5 * draw.normal(size=(count, 1)))

    (x, target), (new, new_target) = data(examples), data(2000)
    weight, bias = np.zeros((features, 1)), np.zeros(1)
    train_error, new_error = [], []
    for step in range(steps + 1):
        if step % 20 == 0:                                  # measured without a mask
            for errors, a, b in ((train_error, x, target), (new_error, new, new_target)):
                errors.append(float(((linear(a, weight, bias)[0] - b) ** 2).mean()))
        mask = None
        if rate:
            mask = (uniforms(x.shape, seed, step, "sensors") >= rate) / (1 - rate)
        dropped, saved = dropout(x, mask)
        y, saved_linear = linear(dropped, weight, bias)
        d_dropped, grads = linear_backward(2 * (y - target) / examples, saved_linear)
        dropout_backward(d_dropped, saved)
        weight = weight - lr * grads["weight"]
        bias = bias - lr * grads["bias"]
    return train_error, new_error, weight[:, 0]


def problem(width):
    steps = np.arange(0, 601, 20)
    (train, new, _), (_, new_dropped, _) = sensors(0.0), sensors(RATE)
    return chart(width, {"no dropout, new": (steps, new, "ink"),
                         "the 50 examples": (steps, train, "dim"),
                         "dropout, new": (steps, new_dropped, "att")} if width > 500 else
                 {"none, new": (steps, new, "ink"), "the 50": (steps, train, "dim"),
                  "dropout, new": (steps, new_dropped, "att")},
                 "step", "mean squared error", y_range=(0, 1.3))


def weights(width):
    """The weight of each sensor, sorted, without and with dropout."""
    image = Svg(width, 346)
    left, step = 0, width / 40
    top = max(abs(sensors(rate)[2]).max() for rate in (0.0, RATE))
    for middle, rate, kind, words in ((92, 0.0, "ink", "no dropout"),
                                      (264, RATE, "att", "with dropout")):
        image.text(0, middle - 76, words, "lab")
        image.line(left, middle, width, middle, "axis")
        found = np.sort(sensors(rate)[2])
        for i, value in enumerate(found):
            size = 66 * abs(value) / top
            image.rect(left + (i + 0.15) * step, middle - size * (value > 0), 0.7 * step,
                       max(size, 0.6), f"{kind}-o", 1)
        image.text(width, middle - 76, f"from {printed(found[0], 2)} to {printed(found[-1], 2)}",
                   "num", "end")
    image.text(width, 336, "40 sensors, sorted by their weight", "nt", "end")
    return image


def picture(width):
    """One word forward and backward through the same mask."""
    y, saved = dropout(X[:1], MASK[:1])
    d_x = dropout_backward(D_Y[:1], saved)
    phone = width < 500
    left = 108 if phone else 130
    cell = ((width - left - 4) / 4, 32)
    image = Svg(width, 336)
    image.step("dropout-1", 0, 0, width, 336)
    for j, word in enumerate(FEATURES):
        image.text(left + (j + 0.5) * cell[0], 14, word, "tok", "middle")

    def row(y0, name, values, signed_kind=False):
        image.name(0, y0 + 20, name)
        for j, value in enumerate(values):
            gone = name in ("y", "d_x") and MASK[0, j] == 0
            kind = "att" if not signed_kind else "up" if value > 0 else "dn"
            if name == "dropout_mask" or gone:
                kind = "grey"
            fraction = 0 if gone else min(1, abs(value) / (1 if signed_kind else 4))
            image.rect(left + j * cell[0], y0, cell[0] - 4, cell[1] - 2, f"cellbox {kind}", 3,
                       f"--share:{fraction:.2f}")
            image.text(left + (j + 0.5) * cell[0] - 2, y0 + 20, printed(value, 1), "val", "middle")

    row(26, "x", X[0])
    row(80, "dropout_mask", MASK[0])
    row(134, "y", y[0])
    row(216, "d_y", D_Y[0], True)
    row(296, "d_x", d_x[0], True)
    for j, active in enumerate(MASK[0]):
        x = left + (j + 0.5) * cell[0] - 2
        image.text(x, 74, "×", "nt", "middle")
        if active:
            image.line(x, 112, x, 132)
            image.arrow(x, 250, x, 293)
    image.end()
    image.text(left, 206, "backward: the same mask", "nt")
    return image


def masks(width):
    """The sum of the cat's features under all 16 masks; their mean is the sum itself."""
    image = Svg(width, 236)
    whole = X[0].sum()
    image.text(0, 14, "sum of the four outputs, for each of the 16 masks", "lab")
    left, right = 14, width - 14

    def at(value):
        return left + (right - left) * value / (2 * whole)

    counts, base = {}, 130
    image.line(left, base + 8, right, base + 8, "axis")
    for active in product((0, 1), repeat=4):
        total = float(X[0] @ (np.array(active) / (1 - RATE)))
        place = counts[total] = counts.get(total, 0) + 1
        image.dot(at(total), base - 13 * place + 13, 5, "att-o")
    for value in range(0, int(2 * whole) + 1, 2):
        image.text(at(value), base + 26, value, "nt", "middle")
    mean = np.mean([X[0] @ np.array(active) / (1 - RATE) for active in product((0, 1), repeat=4)])
    low = mean * (1 - RATE)
    image.line(at(mean), 40, at(mean), base + 66, "level")
    image.text(at(mean), base + 84, f"their mean {printed(mean, 2)} = the sum of x", "num",
               "middle")
    image.line(at(low), base - 6, at(low), base + 34)
    image.text(at(low), base + 50, f"unscaled: {printed(low, 2)}", "num", "middle")
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
