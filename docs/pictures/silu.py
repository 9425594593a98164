"""SiLU drawn: why not the sigmoid alone, gate and slope, the two ways in which x acts, and
SiLU beside GELU and ReLU."""

from functools import lru_cache

import numpy as np
from npgpt.layers import gelu, linear, linear_backward, silu, silu_backward
from svg import chart, printed

X = np.array([-3.0, -1.0, 0.0, 0.5, 1.0, 3.0])
D_Y = np.array([1.0, -0.5, 1.0, -1.0, 0.5, 1.0])
SPAN = np.linspace(-5, 5, 201)
DEPTH = 24


def worked():
    """Six numbers, each treated on its own, for the text of the page."""
    h, fine = 1e-5, np.linspace(-3, 0, 30001)
    measured = (silu(X + h)[0] - silu(X - h)[0]) / (2 * h)
    lowest = silu(fine)[0].argmin()
    slopes = silu_backward(np.ones_like(SPAN), silu(SPAN)[1])
    steps = np.arange(0, -60, -0.25, dtype="float32")
    shut = steps[silu(steps)[1][1] == 0].max()
    return {"silu": {"args": {"x": X}, "d_y": D_Y, "names": {
        "at": [printed(v) for v in X], "grad": {name: sizes[0] for name, sizes in stacks().items()},
        "measured": measured, "formula": silu_backward(np.ones(6), silu(X)[1]),
        "low": fine[lowest], "lowest": silu(fine)[0].min(), "steepest": slopes.max(),
        "shut": float(shut), "missed": float(abs(shut * np.exp(np.float64(shut))))}}}


def sigmoid(x):
    gate = 0.5 * np.tanh(0.5 * x) + 0.5
    return gate, gate


@lru_cache(maxsize=1)
def stacks(channels=128, rows=32, scale=1.5, seed=0):
    """{activation: the size of the gradient at each layer, 0 … 24}, with the same weights."""
    found = {}
    for name, forward, backward in (("SiLU", silu, silu_backward),
                                    ("sigmoid", sigmoid, lambda d_y, g: d_y * g * (1 - g))):
        draw = np.random.default_rng(seed)
        x, saved = draw.normal(size=(rows, channels)), []
        for _ in range(DEPTH):
            weight = draw.normal(size=(channels, channels)) * scale / np.sqrt(channels)
            x, s_linear = linear(x, weight, np.zeros(channels))
            x, s_act = forward(x)
            saved.append((s_linear, s_act))
        d_x = draw.normal(size=x.shape)
        sizes = [float(np.sqrt((d_x * d_x).mean()))]
        for s_linear, s_act in reversed(saved):
            d_x, _ = linear_backward(backward(d_x, s_act), s_linear)
            sizes.append(float(np.sqrt((d_x * d_x).mean())))
        found[name] = sizes[::-1]
    return found


def problem(width):
    layers, found = list(range(DEPTH + 1)), stacks()
    return chart(width, {"SiLU": (layers, found["SiLU"], "att"),
                         "sigmoid": (layers, found["sigmoid"], "ink")},
                 "layer", "size of the gradients", y_log=True, y_range=(1e-13, 1e2),
                 x_ticks=[0, 4, 8, 12, 16, 20, 24])


def picture(width):
    y, (_, gate) = silu(SPAN)
    slope = silu_backward(np.ones_like(SPAN), silu(SPAN)[1])
    return chart(width, {"y": (SPAN, y, "att"), "gate": (SPAN, gate, "dim"),
                         "slope": (SPAN, slope, "ink")},
                 "x", "", y_range=(-0.8, 5), notes=[(-1.3, -0.7, "a little below 0", "middle")],
                 height=330 if width > 500 else 280)


def ways(width):
    """The slope of y by x, and its two parts."""
    _, (_, gate) = silu(SPAN)
    slope = silu_backward(np.ones_like(SPAN), silu(SPAN)[1])
    return chart(width, {"slope": (SPAN, slope, "att"), "as a factor": (SPAN, gate, "dim"),
                         "through gate": (SPAN, slope - gate, "ink")},
                 "x", "", y_range=(-0.35, 1.25))


def plot(width):
    x = np.linspace(-5, 1.5, 131)
    return chart(width, {"SiLU": (x, silu(x)[0], "att"), "GELU": (x, gelu(x)[0], "ink"),
                         "ReLU": (x, np.maximum(x, 0), "dim")},
                 "x", "y", y_range=(-0.5, 1.5), height=330 if width > 500 else 280)
