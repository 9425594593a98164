"""The MLP drawn: features that no sum can compute; and a curve that it learns."""

from functools import lru_cache

import npgpt.blocks
import npgpt.training
import numpy as np
import torch
import torchgpt.blocks
import torchgpt.training
from npgpt.layers import gelu, gelu_backward, linear, linear_backward
from npgpt.random_stream import normals
from npgpt.tree import tree_map
from svg import Svg, chart, printed

WORDS = ["good", "bad", "not good", "not bad"]
CHANNELS = ["not", "bad", "negative"]
FEATURES = ["only not", "only bad", "both", "neither"]
X = np.array([[[0.0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]]])
PARAMS = {"up": {"weight": np.array([[2.0, -2, 2, -2], [-2, 2, 2, -2], [0, 0, 0, 0]]),
                 "bias": np.array([0.0, 0, -3, 1])},
          "down": {"weight": np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, -0.5], [0, 0, -1]]),
                   "bias": np.zeros(3)}}
D_Y = np.zeros((1, 4, 3))
D_Y[0, 2:, 2] = [-0.5, 0.4]
MARKS = np.array([[0.0], [1], [1], [0]])      # whether each is negative


def worked():
    hidden, _ = linear(X, **PARAMS["up"])
    _, saved = gelu(hidden)
    slope = gelu_backward(np.ones_like(hidden), saved)[0]
    line, _, _, _ = np.linalg.lstsq(np.c_[X[0, :, :2], np.ones(4)], MARKS, rcond=None)
    answers = np.c_[X[0, :, :2], np.ones(4)] @ line
    names = {"words": WORDS, "channels": CHANNELS, "features": FEATURES, "slope": slope,
             "best": np.c_[MARKS, answers].round(9), "w_up": PARAMS["up"]["weight"],
             "b_up": PARAMS["up"]["bias"][None], "w_down": PARAMS["down"]["weight"],
             "not_good": 2, "not_bad": 3}
    return {"mlp": {"args": {"x": X, "params": PARAMS}, "d_y": D_Y, "names": names}}


def picture(width):
    """One word of the example on its way through the four features."""
    x = X[:, 2:3]
    y, _ = npgpt.blocks.mlp(x, PARAMS)
    hidden, _ = linear(x, **PARAMS["up"])
    activated, _ = gelu(hidden)
    phone = width < 500
    left = 70 if phone else 150
    step = (width - left) / 4 if phone else 86
    image = Svg(width, 356)
    gap = 100
    tops = [30 + gap * i for i in range(4)]
    middle = left + step / 2
    words = ["up", "GELU", "down"]

    def centres(start, count):
        return [start + (i + 0.5) * step - 1 for i in range(count)]

    ends = [centres(middle, 3), centres(left, 4), centres(left, 4), centres(middle, 3)]
    for i, word in enumerate(words):
        image.step(f"mlp-{i + 1}", 0, tops[i] + 30, width, gap - 32)
        pairs = (zip(ends[i], ends[i + 1]) if i == 1
                 else [(a, b) for a in ends[i] for b in ends[i + 1]])
        for a, b in pairs:
            image.line(a, tops[i] + 30, b, tops[i + 1] - (22 if i == 0 else 2))
        image.label(0, tops[i] + gap / 2 + 18, i + 1, word, 22 if phone else 26)
        image.end()
    rows = [("x", x, "C = 3", CHANNELS), ("hidden", hidden, "F = 4", FEATURES),
            ("activated", activated, "F = 4", ()), ("y", y, "C = 3", ())]
    for (name, values, note, columns), top in zip(rows, tops):
        flat = values[0]
        image.matrix(middle if flat.shape[1] == 3 else left, top, flat, (step, 30), 2,
                     columns=columns, kind="att")
        image.name(0, top + 14, name, note)
    return image


@lru_cache(maxsize=1)
def xor(steps=80, seed=3):
    """Mean squared error on the four words, with and without GELU between two linear layers."""
    found = {}
    for with_gelu in (False, True):
        params = {"up": {"weight": normals((2, 8), seed, 0, "up"), "bias": np.zeros(8)},
                  "down": {"weight": 0.4 * normals((8, 1), seed, 0, "down"), "bias": np.zeros(1)}}
        state, errors = npgpt.training.adamw_init(params), []
        x = X[..., :2]
        for _ in range(steps + 1):
            hidden, saved_up = linear(x, **params["up"])
            activated, saved_gelu = gelu(hidden)
            y, saved_down = linear(activated if with_gelu else hidden, **params["down"])
            gap = y - MARKS
            errors.append(float((gap * gap).mean()))
            d_hidden, d_down = linear_backward(gap / 4, saved_down)
            if with_gelu:
                d_hidden = gelu_backward(d_hidden, saved_gelu)
            _, d_up = linear_backward(d_hidden, saved_up)
            npgpt.training.adamw_step(params, {"up": d_up, "down": d_down}, state, 0.03,
                                      weight_decay=0)
        found[with_gelu] = errors
    return found


def problem(width):
    found = xor()
    steps = list(range(len(found[True])))
    return chart(width, {"with GELU between": (steps, found[True], "att"),
                         "two linear layers": (steps, found[False], "ink")},
                 "training steps", "mean squared error", y_range=(0, 0.8))


def slopes(width):
    """GELU's curve and its tangents where the features of `not good` are."""
    xs = np.linspace(-3, 3, 121)
    ys, _ = gelu(xs)
    at = np.array([-2.0, -1, 2])
    heights, saved = gelu(at)
    rises = gelu_backward(np.ones(3), saved)
    series = {" gelu": (xs, ys, "ink")}
    notes = []
    for x, y, rise, words in zip(at, heights, rises, ["only bad", "both, neither", "only not"]):
        series[f" {words}"] = ([x - 0.55, x, x + 0.55], [y - 0.55 * rise, y, y + 0.55 * rise],
                               "att")
        lift = {-2: 0.22, -1: -0.42, 2: 0.0}[int(x)]
        notes.append((x - 0.3 if x > 0 else x, y + lift + (0.15 if x > 0 else 0),
                      f"{words}: {printed(rise, 2)}", "end" if x > 0 else "middle"))
    return chart(width, series, "hidden", "activated", y_range=(-0.8, 3), notes=notes)


def learn(side, params, x, target, steps=400):
    """The output after `steps` of AdamW on the mean squared error."""
    blocks, training = side
    state = training.adamw_init(params)
    for _ in range(steps):
        y, saved = blocks.mlp(x, params)
        _, grads = blocks.mlp_backward((y - target) / x.shape[1], saved)
        training.adamw_step(params, grads, state, 0.03, weight_decay=0)
    return blocks.mlp(x, params)[0][0, :, 0]


def made(C, F):
    return {"up": {"weight": normals((C, F), 7, 0, "up"), "bias": normals((F,), 7, 0, "up.bias")},
            "down": {"weight": 0.5 * normals((F, C), 7, 0, "down"), "bias": np.zeros(C)}}


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


SIZES = [1, 2, 4, 8, 16, 32]


@lru_cache(maxsize=1)
def by_features():
    """The error that is left after learning the same curve, for each number of features."""
    x = np.linspace(-3, 3, 61)[None, :, None]
    target = np.sin(2 * x)
    side = npgpt.blocks, npgpt.training
    return [float(((learn(side, made(1, F), x, target) - target[0, :, 0]) ** 2).mean())
            for F in SIZES]


def plot_features(width):
    return chart(width, {"error after 400 steps": (SIZES, by_features(), "att")}, "features F",
                 "mean squared error", x_log=True, x_ticks=SIZES, y_log=True)
