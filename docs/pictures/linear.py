"""Linear drawn: three words through one small table of weights, forward and backward."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart, printed

WORDS = ["Rex", "Tom", "stone"]
CHANNELS = ["alive", "dog", "cat", "heavy"]
OUTPUTS = ["barks", "runs"]
X = np.array([[1.0, 1.0, 0.0, 0.5],      # Rex, a dog
              [1.0, 0.0, 1.0, -0.5],     # Tom, a cat
              [0.0, 0.0, 0.0, 2.0]])
WEIGHT = np.array([[0.0, 2.0],           # what is alive can run
                   [2.0, 0.5],           # a dog barks
                   [-1.0, 1.0],          # a cat does not
                   [0.0, -1.0]])         # what is heavy hardly runs
BIAS = np.array([-0.5, 0.0])             # most things do not bark
D_Y = np.array([[-1.0, 0.2], [0.5, -0.4], [0.0, 0.6]])


def worked():
    return {"linear": {
        "args": {"x": X, "weight": WEIGHT, "bias": BIAS}, "d_y": D_Y,
        "names": {"words": WORDS, "ci": CHANNELS, "co": OUTPUTS, "one": [""], "rex": 0, "tom": 1,
                  "alive": 0, "dog": 1, "cat": 2, "heavy": 3, "barks": 0, "runs": 1,
                  "missed": mixing(), "angles": ANGLES,
                  "step": lambda: (X @ (WEIGHT - 0.1 * X.T @ D_Y) + BIAS
                                   - 0.1 * D_Y.sum(0))}}}


ANGLES = np.arange(0, 91, 5)


def mixing(seed=0, points=1000):
    """Turn points in a plane by an angle. How much of the target is missed by the best factor
    and shift for each channel, and by the best linear layer, in per cent of its variance."""
    x = np.random.default_rng(seed).normal(size=(points, 2))
    missed = [], []
    for angle in np.deg2rad(ANGLES):
        cos, sin = np.cos(angle), np.sin(angle)
        target = x @ np.array([[cos, sin], [-sin, cos]])
        alone = np.empty_like(target)
        for c in range(2):                                # each channel by itself
            rows = np.stack([x[:, c], np.ones(points)], axis=1)
            alone[:, c] = rows @ np.linalg.lstsq(rows, target[:, c])[0]
        rows = np.concatenate([x, np.ones((points, 1))], axis=1)
        mixed = rows @ np.linalg.lstsq(rows, target)[0]
        for found, guess in zip(missed, (alone, mixed)):
            found.append(100 * ((target - guess) ** 2).sum() / target.var(axis=0).sum() / points)
    return missed


def problem(width):
    alone, mixed = mixing()
    return chart(width, {"each channel alone": (ANGLES, alone, "ink"),
                         "linear layer": (ANGLES, mixed, "att")},
                 "angle in degrees", "% of the target that is missed",
                 x_ticks=[0, 15, 30, 45, 60, 75, 90], y_range=(0, 104))


def picture(width):
    """x on the left, weight above, and each output where row and column cross."""
    phone = width < 500
    cell = (44, 28) if phone else (60, 30)
    left = 52 if phone else 62
    right = left + 4 * cell[0] + (26 if phone else 92)
    top = 44
    low = top + 4 * cell[1] + 58
    image = Svg(width, low + 3 * cell[1] + 70)
    image.rect(left - 4, low - 3, 4 * cell[0] + 6, cell[1] + 4, "box ink", 4)
    image.rect(right - 4, top - 3, cell[0] + 6, 4 * cell[1] + 4, "box ink", 4)
    image.rect(right - 4, low - 3, cell[0] + 6, cell[1] + 4, "box ink", 4)
    image.matrix(right, top, WEIGHT, cell, 1, name="weight", columns=OUTPUTS, kind="att",
                 rows=[] if phone else CHANNELS)
    image.matrix(left, low, X, cell, 1, name="x", kind="att", rows=WORDS, columns=CHANNELS)
    image.matrix(right, low, X @ WEIGHT + BIAS, cell, 1, kind="att")
    image.name(right, low - 10, "y")
    image.matrix(right, low + 3 * cell[1] + 34, [BIAS], cell, 1, name="bias", kind="att")
    image.arrow(left + 4 * cell[0] + 4, low + cell[1] / 2, right - 6, low + cell[1] / 2)
    image.arrow(right + cell[0] / 2, top + 4 * cell[1] + 3, right + cell[0] / 2, low - 6)
    if not phone:
        x = right + 2 * cell[0] + 22
        lines = ["row Rex times", "column barks:", terms(X[0], WEIGHT[:, 0])]
        for i, words in enumerate(lines):
            image.text(x, low + 19 + 20 * (i - 2), words, "num" if i > 1 else "nt")
        image.text(x, low + 39, f"bias {printed(BIAS[0])} → {printed((X @ WEIGHT + BIAS)[0, 0])}",
                   "num")
    return image


def terms(row, column):
    """1·0 + 1·2: the products that are not 0, and their sum."""
    found = [f"{printed(a)}·{printed(b)}" for a, b in zip(row, column) if a * b]
    return " + ".join(found) + f" = {printed(row @ column)}"


def paths(width):
    """From Rex's channels to both outputs: which ways lead from `dog` to the loss."""
    phone = width < 500
    left, right = (70, width - 118) if phone else (90, width - 250)
    ys, zs = [38 + 62 * i for i in range(4)], [84, 178]
    image = Svg(width, 270)
    image.text(left, 14, "Rex", "lab", "middle")
    for i in range(4):
        for o in range(2):
            on = i == 1
            weight = WEIGHT[i, o]
            if not on and not weight:
                continue
            image.add(f'<line x1="{left}" y1="{ys[i]}" x2="{right}" y2="{zs[o]}" '
                      f'stroke="var(--{"att" if on else "line-2"})" '
                      f'stroke-width="{max(1, 2.2 * abs(weight)):.1f}"/>')
    for o in range(2):
        image.text(left + 0.24 * (right - left), ys[1] + 0.24 * (zs[o] - ys[1])
                   + (-9 if o == 0 else 19), f"weight {printed(WEIGHT[1, o])}", "num", "middle")
    for i, word in enumerate(CHANNELS):
        image.dot(left, ys[i], 6 if i == 1 else 4, "att-o" if i == 1 else "dim-o")
        image.text(left - 12, ys[i] + 4, word, "big" if i == 1 else "tok", "end")
    for o, word in enumerate(OUTPUTS):
        kind = "up" if D_Y[0, o] > 0 else "dn"
        image.dot(right, zs[o], 7, f"{kind}-o")
        image.text(right + 14, zs[o] + 4, word, "tok")
        image.text(right + 14, zs[o] + 22, f"d_y {printed(D_Y[0, o])}", "num")
    total = D_Y[0] @ WEIGHT[1]
    image.text(0, 262, "d_x of dog: " + " + ".join(
        f"{printed(d)}·{printed(w)}" for d, w in zip(D_Y[0], WEIGHT[1]))
        + f" = {printed(total)}", "num")
    return image


def gathered(width):
    """d_weight: one table for each word, and their sum."""
    phone = width < 500
    tables = [np.outer(X[r], D_Y[r]) for r in range(3)] + [X.T @ D_Y]
    cell = (46, 27) if phone else (48, 28)
    image = Svg(width, 340 if phone else 186)
    for k, table in enumerate(tables):
        column, row = (k % 2, k // 2) if phone else (k, 0)
        x = 58 + column * (158 if phone else 149) - (10 if phone else 0)
        y = 52 + row * 168
        name = WORDS[k] if k < 3 else "d_weight"
        if k < 3:
            image.text(x, y - 26, name, "big")
        else:
            image.name(x, y - 26, name)
        for j, word in enumerate(OUTPUTS):
            image.text(x + (j + 0.5) * cell[0], y - 7, word, "nt", "middle")
        for i in range(4):
            if column == 0:
                image.text(x - 8, y + (i + 0.5) * cell[1] + 4, CHANNELS[i], "nt", "end")
            for j in range(2):
                value = table[i, j]
                image.rect(x + j * cell[0], y + i * cell[1], cell[0] - 2, cell[1] - 2,
                           f"cellbox {'up' if value > 0 else 'dn' if value < 0 else 'grey'}", 3,
                           f"--share:{min(1, abs(value) / 1.5):.2f}")
                image.text(x + (j + 0.5) * cell[0] - 1, y + (i + 0.5) * cell[1] + 4,
                           printed(value, 2), "val", "middle")
        mark = ["+", "+", "=", ""][k]
        image.text(x + 2 * cell[0] + (11 if phone else 24), y + 2 * cell[1] + 5, mark, "big",
                   "middle")
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
