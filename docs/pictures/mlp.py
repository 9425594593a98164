"""The MLP drawn: two channels through eight features; and a curve that it learns."""

import npgpt.blocks
import npgpt.training
import numpy as np
import torch
import torchgpt.blocks
import torchgpt.training
from npgpt.layers import gelu, linear
from npgpt.random_stream import normals
from npgpt.tree import tree_map
from svg import Svg, chart


def made(C, F):
    return {"up": {"weight": normals((C, F), 7, 0, "up"), "bias": normals((F,), 7, 0, "up.bias")},
            "down": {"weight": 0.5 * normals((F, C), 7, 0, "down"), "bias": np.zeros(C)}}


def picture(width):
    params, x = made(2, 8), np.array([[[0.8, -0.6]]])
    y, _ = npgpt.blocks.mlp(x, params)
    hidden, _ = linear(x, **params["up"])
    activated, _ = gelu(hidden)
    phone = width < 500
    left = 62 if phone else 150
    step = (width - left) / 8
    cell = (step, 30)
    image = Svg(width, 350)
    gap = 98
    tops = [22 + gap * i for i in range(4)]
    middle = left + 3 * step
    words = ["up", "GELU", "down"]

    def centres(start, count):
        return [start + (i + 0.5) * step - 1 for i in range(count)]

    ends = [centres(middle, 2), centres(left, 8), centres(left, 8), centres(middle, 2)]
    for i, word in enumerate(words):
        image.step(f"mlp-{i + 1}", 0, tops[i] + 30, width, gap - 32)
        pairs = (zip(ends[i], ends[i + 1]) if i == 1
                 else [(a, b) for a in ends[i] for b in ends[i + 1]])
        for a, b in pairs:
            image.line(a, tops[i] + 30, b, tops[i + 1] - 2)
        image.label(0, tops[i] + gap / 2 + 18, i + 1, word, 22 if phone else 26)
        image.end()
    rows = [("x", x, "C = 2"), ("hidden", hidden, "F = 8"),
            ("activated", activated, "F = 8"), ("y", y, "C = 2")]
    for (name, values, note), top in zip(rows, tops):
        flat = values[0]
        image.matrix(middle if flat.shape[1] == 2 else left, top, flat, cell, 1)
        image.name(0, top + 14, name, note)
    return image


def learn(side, params, x, target, steps=400):
    """The output after `steps` of AdamW on the mean squared error."""
    blocks, training = side
    state = training.adamw_init(params)
    for _ in range(steps):
        y, saved = blocks.mlp(x, params)
        _, grads = blocks.mlp_backward((y - target) / x.shape[1], saved)
        training.adamw_step(params, grads, state, 0.03, weight_decay=0)
    return blocks.mlp(x, params)[0][0, :, 0]


def plot(width):
    x = np.linspace(-3, 3, 61)[None, :, None]
    target = np.sin(2 * x)
    params = made(1, 16)
    tensors = tree_map(lambda p: torch.from_numpy(p.copy()), params)
    theirs = learn((torchgpt.blocks, torchgpt.training), tensors, torch.from_numpy(x),
                   torch.from_numpy(target))
    ours = learn((npgpt.blocks, npgpt.training), params, x, target)
    xs = x[0, :, 0]
    line = np.polyval(np.polyfit(xs, target[0, :, 0], 1), xs)
    return chart(width, {"target": (xs, target[0, :, 0], "dim"),
                         "NumPy": (xs, ours, "np"),
                         "PyTorch": (xs[::4], theirs.numpy()[::4], "pt"),
                         " best straight line": (xs, line, "ink")},
                 "x", "y", y_range=(-1.6, 1.6),
                 notes=[(-1.4, 0.4, "straight line" if width < 500 else "best straight line",
                         "start")])
