"""AdamW drawn: its way through a ravine beside plain descent; and the size of its first steps."""

import math

import npgpt.training
import numpy as np
import torch
import torchgpt.training
from svg import Svg, chart

STEEP = np.array([1.0, 40.0])
START = np.array([-4.0, 1.0])


def plain(steps, rate):
    """Gradient descent on ½ Σ steep · w²."""
    path = [START.copy()]
    for _ in range(steps):
        path.append(path[-1] - rate * STEEP * path[-1])
    return np.array(path)


def adamw(training, make, steps, rate):
    params = {"w": make(START.copy())}
    state, path = training.adamw_init(params), [START.copy()]
    steep = make(STEEP)
    for _ in range(steps):
        grads = {"w": steep * params["w"]}
        training.adamw_step(params, grads, state, rate)
        path.append(np.array(params["w"]))
    return np.array(path)


def picture(width):
    phone = width < 500
    height = 300 if phone else 340
    image = Svg(width, height, "pic")
    x_scale, y_scale = (width - 50) / 5.4, (height - 90) / 2.5
    zero = width - 20 - 0.9 * x_scale, (height + 20) / 2

    def at(w):
        return zero[0] + w[0] * x_scale, zero[1] - w[1] * y_scale

    turn = np.linspace(0, 2 * np.pi, 73)
    for level in (0.08, 0.8, 3, 8, 16, 28):
        ring = np.stack([np.cos(turn), np.sin(turn)], 1) * np.sqrt(2 * level / STEEP)
        points = [at(w) for w in ring]
        inside = [p for p in points if 0 <= p[0] <= width and 34 <= p[1] <= height]
        if len(inside) == len(points):
            image.polyline(points, "ln-dim")
        else:
            part = []
            for p in [*points, points[0]]:
                if 0 <= p[0] <= width and 34 <= p[1] <= height:
                    part.append(p)
                else:
                    if len(part) > 1:
                        image.polyline(part, "ln-dim")
                    part = []
            if len(part) > 1:
                image.polyline(part, "ln-dim")
    slow = plain(40, 0.0475)
    ours = adamw(npgpt.training, np.array, 40, 0.2)
    theirs = adamw(torchgpt.training, torch.tensor, 40, 0.2)
    image.polyline([at(w) for w in slow], "ln-ink")
    image.polyline([at(w) for w in ours], "ln-np")
    for w in slow:
        image.dot(*at(w), 2, "ink-o")
    for w in theirs[::2]:
        image.dot(*at(w), 4, "pt-o")
    image.dot(*at(START), 5)
    image.dot(*at((0, 0)), 5)
    image.text(*(at(START)[0] + 10, at(START)[1] - 8), "start", "nt")
    image.text(at((0, 0))[0], at((0, 0))[1] + 22, "lowest", "nt", "middle")
    words = [("plain descent", "ink"), ("AdamW", "np"), ("PyTorch", "pt")]
    x = 0
    for name, kind in words:
        if kind == "pt":
            image.dot(x + 10, 12, 4, "pt-o")
        else:
            image.line(x, 12, x + 20, 12, f"ln-{kind}")
        image.text(x + 27, 16, name, "lab")
        x += 27 + 7.4 * len(name) + 18
    return image


def ratios(training, make, beta_2, steps):
    """|step| / lr under a gradient that is always 1; with the correction, and without."""
    params, moved, bare = {"w": make(np.zeros(1))}, [], []
    state = training.adamw_init(params)
    for _ in range(steps):
        before = float(params["w"][0])
        training.adamw_step(params, {"w": make(np.ones(1))}, state, 0.1, (0.9, beta_2))
        moved.append((before - float(params["w"][0])) / 0.1)
        bare.append(float(state["m"]["w"][0]) / math.sqrt(float(state["v"]["w"][0])))
    return moved, bare


def plot(width):
    steps = 60
    ours, low = ratios(npgpt.training, np.array, 0.95, steps)
    theirs, high = ratios(torchgpt.training, torch.tensor, 0.999, steps)
    at = np.arange(1, steps + 1)
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::4], theirs[::4], "pt"),
                         " 0.999": (at, high, "ink"), " 0.95": (at, low, "dim")},
                 "step", "step size, in units of lr", y_range=(0, 8),
                 notes=[(22, 6.4, "uncorrected, β₂ = 0.999", "start"),
                        (22, 1.9, "uncorrected, β₂ = 0.95", "start")])
