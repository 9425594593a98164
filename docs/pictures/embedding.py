"""Embedding drawn: ids as numbers and as rows; lookups, gradients back; what a naive sum loses."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart, gradient_table

WORDS = ["cat", "dog", "mat", "on", "sat", "the"]
COLUMNS = ["animal", "action", "grammar"]
WEIGHT = np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.2, 0.0, 0.1],
                   [0.0, 0.1, 0.9], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]])
IDS = np.array([5, 0, 4, 3, 5, 2])       # the cat sat on the mat
D_Y = np.array([[0.2, 0.0, -0.4], [-0.5, 0.1, 0.0], [0.0, -0.3, 0.1],
                [0.0, 0.1, -0.2], [0.1, 0.0, -0.3], [0.3, 0.0, 0.1]])
ANIMALS = {"ate": 0, "bird": 1, "cat": 1, "dog": 1, "fish": 1, "grew": 0, "hen": 1, "house": 0,
           "mat": 0, "on": 0, "ran": 0, "sat": 0, "stone": 0, "the": 0, "tree": 0, "wolf": 1}


def worked():
    wanted, line = by_number()
    tempting = np.zeros_like(WEIGHT)
    tempting[IDS] += D_Y
    return {"embedding": {
        "args": {"ids": IDS, "weight": WEIGHT}, "d_y": D_Y,
        "names": {"tokens": [WORDS[i] for i in IDS], "vocabulary": WORDS, "cc": COLUMNS,
                  "cat": 0, "dog": 1, "the": 5, "animal": 0, "grammar": 2, "tempting": tempting,
                  "wanted": wanted, "line": line, "many": list(ANIMALS),
                  "missed": 100 * ((wanted - line) ** 2).sum() / len(line) / wanted.var(),
                  "likest": list(ANIMALS)[line.argmax()],
                  "d_weight": npgpt.layers.embedding_backward(D_Y, (IDS, WEIGHT))["weight"],
                  "V": 50257, "C": 768, "thousands": lambda n: f"{n:,}"}}}


def by_number():
    """Which of 16 words are animals, and the best straight line through their ids."""
    wanted = np.array(list(ANIMALS.values()), float)
    ids = np.arange(len(wanted))
    slope, start = np.polyfit(ids, wanted, 1)
    return wanted, start + slope * ids


def problem(width):
    """Each word's answer, the best answer from its id as a number, and that from a row."""
    wanted, line = by_number()
    phone = width < 500
    left, right, top, step = 104, width - (46 if phone else 110), 50, 20
    image = Svg(width, top + 16 * step + 12)

    def x(value):
        return left + (right - left) * value

    for value, words in ((0, "no"), (0.5, ""), (1, "yes")):
        image.line(x(value), top - 12, x(value), top + 16 * step, "axis")
        image.text(x(value), top - 18, words, "tok", "middle")
    image.text(0, 14, "is it an animal?", "lab")
    image.text(0, top - 18, "id", "nt")
    for i, word in enumerate(ANIMALS):
        y = top + (i + 0.5) * step
        image.text(18, y + 4, i, "nt", "end")
        image.text(32, y + 4, word, "tok")
        image.add(f'<line x1="{x(line[i]):.1f}" y1="{y:.1f}" x2="{x(wanted[i]):.1f}" y2="{y:.1f}" '
                  'stroke="var(--line-2)" stroke-width="1.5"/>')
        image.dot(x(line[i]), y, 3.5, "ink-o")
        image.dot(x(wanted[i]), y, 5, "att-o")
    image.line(x(line[0]), top + step / 2, x(line[-1]), top + 15.5 * step)
    image.dot(x(0.32), 10, 5, "att-o").text(x(0.32) + 10, 14, "from a row", "nt")
    image.dot(x(0.72), 10, 3.5, "ink-o").text(x(0.72) + 10, 14, "from the id", "nt")
    return image


def picture(width):
    """Above, each position takes a row; below, its gradient goes back to that row."""
    y = npgpt.layers.embedding(IDS, WEIGHT)[0]
    d_weight = npgpt.layers.embedding_backward(D_Y, (IDS, WEIGHT))["weight"]
    phone = width < 500
    cell = (33, 24) if phone else (46, 26)
    left, top = 48, 40
    right = width - 3 * cell[0] - 40
    low = top + 6 * cell[1] + 60
    image = Svg(width, low + 6 * cell[1] + 8)
    rows = [f"{i} {w}" for i, w in enumerate(WORDS)]
    image.step("embedding-1", 0, 0, width, low + 6 * cell[1] + 8)
    image.matrix(left, top, WEIGHT, cell, 1, rows=rows, name="weight", kind="att")
    image.matrix(right, top, y, cell, 1, name="y", kind="att")
    gradient_table(image, left, low, d_weight, cell, rows, name="d_weight")
    gradient_table(image, right, low, D_Y, cell, name="d_y")
    for position, i in enumerate(IDS):
        word = WORDS[i]
        for y0, back in ((top, False), (low, True)):
            a = left + 3 * cell[0] + 3, y0 + (i + 0.5) * cell[1]
            b = right - 5, y0 + (position + 0.5) * cell[1]
            image.arrow(*(b + a if back else a + b))
            image.text(right + 3 * cell[0] + 4, b[1] + 4, word, "tok")
    image.end()
    return image


def onehot(width):
    """The transposed table of ones times d_y: row `the` has two ones, and sums two rows."""
    phone = width < 500
    cell, small = (36, 24), 24
    d_weight = npgpt.layers.embedding_backward(D_Y, (IDS, WEIGHT))["weight"]
    left, top = 36, 62
    middle = left + 6 * small + (34 if phone else 40)
    image = Svg(width, 440 if phone else 216)
    image.name(left, 14, "one_hot.T")
    for p, i in enumerate(IDS):
        image.add(f'<text class="nt" transform="translate({left + (p + 0.65) * small:.1f} '
                  f'{top - 6}) rotate(-60)">{WORDS[i]}</text>')
    for v, word in enumerate(WORDS):
        image.text(left - 7, top + (v + 0.5) * small + 4, word, "nt", "end")
        for p, i in enumerate(IDS):
            one = i == v
            image.rect(left + p * small, top + v * small, small - 2, small - 2,
                       "cellbox att" if one else "cellbox grey", 3, f"--share:{float(one)}")
            image.text(left + (p + 0.5) * small - 1, top + (v + 0.5) * small + 4,
                       "1" if one else "·", "val", "middle")
    image.text(middle - 19, top + 3 * small + 5, "·", "big", "middle")
    gradient_table(image, middle, top, D_Y, cell, name="d_y")
    if phone:
        image.text(left + 40, 262, "=", "big", "middle")
        gradient_table(image, left + 72, 282, d_weight, (44, 24), WORDS, name="d_weight")
    else:
        end = middle + 3 * cell[0] + 82
        image.text(end - 62, top + 3 * small + 5, "=", "big", "middle")
        gradient_table(image, end, top, d_weight, cell, WORDS, name="d_weight")
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
                 y_range=(0, 100), x_ticks=[4, 16, 64, 256, 1024, 4096])
