"""Positions drawn: one row for each position, and what attention makes of a text without them."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.models
from npgpt.models import gpt2
from npgpt.training import init
from npgpt.tree import tree_map
from svg import Svg, chart, gradient_table

COLUMNS = ["dog", "man", "verb", "early"]
TOKENS = np.array([[1.0, 0.0, 0.0, 0.0],       # dog
                   [0.0, 0.0, 1.0, 0.0],       # bites
                   [0.0, 1.0, 0.0, 0.0],       # man
                   [0.0, 0.0, 0.0, 0.0]])      # .
VOCABULARY = ["dog", "bites", "man", "."]
IDS = np.array([[0, 1, 2, 3], [2, 1, 0, 3]])
WEIGHT = np.array([[0.1, 0.1, -0.2, 1.0],      # a sentence rarely begins with a verb
                   [0.0, 0.0, 0.3, 0.3],       # its second word often is one
                   [0.1, 0.1, -0.1, -0.2],
                   [0.0, 0.0, -0.2, -0.5],
                   [0.0, 0.0, 0.0, -0.6]])
D_Y = np.zeros((2, 4, 4))
D_Y[0] = [[0, 0, 0, -0.6], [0, 0, -0.2, 0], [0, 0.1, 0, 0.3], [0, 0, 0, 0.2]]
D_Y[1] = [[0, 0, 0, -0.4], [0, 0, -0.3, 0], [0.1, 0, 0, 0.1], [0, 0, 0, 0]]
QUERY = np.array([0.0, 0.0, 0.0, 6.0])         # of the full stop: what came early?


def worked():
    received = [hears(TOKENS[ids] + rows) for rows in (0, WEIGHT[:4]) for ids in IDS]
    y, saved = npgpt.layers.position_embedding(IDS, WEIGHT)
    d_weight = npgpt.layers.position_embedding_backward(D_Y, saved)["weight"]
    return {"position_embedding": {
        "args": {"ids": IDS, "weight": WEIGHT, "start": 0}, "d_y": D_Y,
        "names": {"cc": COLUMNS,
                  "received": np.array(received)[:, :2], "x": TOKENS[IDS] + y,
                  "one": words_of(0), "two": words_of(1), "d_weight": d_weight, "early": 3,
                  "verb": 2}}}


def words_of(b):
    return [VOCABULARY[i] for i in IDS[b]]


def hears(x):
    """What the full stop receives, if its query looks for what came early."""
    q = QUERY[None, None, None]
    return npgpt.layers.attention(q, x[None, None], x[None, None])[0][0, 0, 0]


def picture(width):
    """The table, and its rows once for each of two sentences."""
    y, _ = npgpt.layers.position_embedding(IDS, WEIGHT)
    phone = width < 500
    cell = (33, 25) if phone else (46, 27)
    left, top = (20 if phone else 74), 44
    right = width - 4 * cell[0] - 46
    between = 4 * cell[1] + 56
    image = Svg(width, top + between + 4 * cell[1] + 8)
    low = top + 1.2 * cell[1]
    taken = 4 * cell[1]
    image.step("position_embedding-1", 0, 0, width, top + between + 4 * cell[1] + 8)
    image.rect(left - 4, low - 3, 4 * cell[0] + 6, taken + 3, "box ink", 4)
    image.matrix(left, low, WEIGHT, cell, 1, name="weight", kind="att",
                 rows=[i if phone else f"position {i}" for i in range(5)])
    for b in range(2):
        y0 = top + b * between
        image.matrix(right, y0, y[b], cell, 1, name="y", kind="att", note=f"sentence {b}")
        for i, word in enumerate(words_of(b)):
            image.text(right + 4 * cell[0] + 4, y0 + (i + 0.5) * cell[1] + 4, word, "tok")
        image.arrow(left + 4 * cell[0] + 6, low + taken / 2, right - 6, y0 + 2 * cell[1])
    image.end()
    image.text(left, low + 5 * cell[1] + 20, "not taken: position 4", "nt")
    return image


def summed(width):
    """d_y of both sentences, and their sum in the rows that were taken."""
    phone = width < 500
    saved = npgpt.layers.position_embedding(IDS, WEIGHT)[1]
    d_weight = npgpt.layers.position_embedding_backward(D_Y, saved)["weight"]
    cell = (31, 25) if phone else (37, 26)
    gap = 4 * cell[0] + (54 if phone else 72)
    left, top = 44, 50
    image = Svg(width, 400 if phone else 196)
    deepest = abs(D_Y.sum(0)).max()
    for b in range(2):
        x = left + b * gap
        gradient_table(image, x, top, D_Y[b], cell, words_of(b), name="d_y", top=deepest)
        image.text(x + 42, top - 10, f"sentence {b}", "nt")
    image.text(left + gap - (48 if phone else 56), top + 2 * cell[1] + 5, "+", "big", "middle")
    x, y = (left, top + 200) if phone else (left + 2 * gap + 6, top)
    image.text(x - (24 if phone else 56), y + (-34 if phone else 2 * cell[1] + 5), "=", "big",
               "middle")
    gradient_table(image, x, y, d_weight, cell, range(5), name="d_weight", top=deepest)
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
