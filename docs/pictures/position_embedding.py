"""Positions drawn: rows taken and repeated; and how they tell the order of tokens."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.models
from npgpt.models import gpt2
from npgpt.training import init
from npgpt.tree import tree_map
from svg import Svg, chart

WEIGHT = np.array([[0.1, -0.4, 0.3], [0.5, 0.2, -0.1], [-0.3, 0.6, 0.2],
                   [0.4, -0.2, 0.7], [-0.6, 0.1, -0.5], [0.2, 0.3, -0.2]])


def picture(width):
    ids = np.zeros((2, 3), int)
    y, _ = npgpt.layers.position_embedding(ids, WEIGHT, start=2)
    phone = width < 500
    cell = (36, 25) if phone else (46, 27)
    left, top = (20 if phone else 80), 46
    right = left + 3 * cell[0] + (64 if phone else 170)
    image = Svg(width, top + 8.4 * cell[1] + 20)
    image.step("position_embedding-1", left - 6, top + 2 * cell[1] - 4, 3 * cell[0] + 12,
               3 * cell[1] + 6)
    image.rect(left - 5, top + 2 * cell[1] - 4, 3 * cell[0] + 8, 3 * cell[1] + 6, "box np", 4)
    image.end()
    words = [str(i) if phone else f"position {i}" for i in range(6)]
    image.matrix(left, top, WEIGHT, cell, 1, rows=words, name="weight")
    for b in range(2):
        y0 = top + b * (3 * cell[1] + 52)
        image.matrix(right, y0, y[b], cell, 1, name="y",
                     note=f"sequence {b}")
        image.arrow(left + 3 * cell[0] + 8, top + 3.5 * cell[1], right - 8, y0 + 1.5 * cell[1])
    if not phone:
        middle = left + 3 * cell[0] + 14
        image.text(middle, top + 2 * cell[1] - 12, "start = 2, T = 3", "nt")
    return image


def shuffled(model, params, config, ids):
    """How much the last token's logits move when those before it change order."""
    other = np.concatenate([ids[:, -2::-1], ids[:, -1:]], axis=1)
    convert = (lambda a: a) if model is gpt2 else torch.from_numpy
    one, two = (model.forward(params, convert(i.copy()), config)[0][0, -1] for i in (ids, other))
    return float(abs(one - two).max())


def plot(width):
    config = gpt2.Config(vocab_size=32, context_length=16, layers=1, heads=2, channels=32)
    params = init(gpt2, config, dtype=np.float64)
    rows = params["positions"]["weight"]
    ids = np.random.default_rng(0).integers(0, 32, (1, 16))
    sizes = 10.0 ** np.arange(-18, 0.1, 1)
    ours, theirs = [], []
    for size in sizes:
        params["positions"] = {"weight": rows / 0.02 * size}
        ours.append(shuffled(gpt2, params, config, ids))
        tensors = tree_map(lambda p: torch.from_numpy(p), params)
        theirs.append(shuffled(torchgpt.models.gpt2, tensors, config, ids))
    return chart(width, {"NumPy": (sizes, ours, "np"), "PyTorch": (sizes, theirs, "pt")},
                 "size of the position rows", "change of the last logits", x_log=True, y_log=True)
