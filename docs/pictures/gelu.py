"""GELU drawn: what a network is without it, gate and slope, the two ways in which x acts, and
how near the tanh form comes to the exact one."""

import math
from functools import lru_cache

import numpy as np
from npgpt.layers import gelu, gelu_backward, linear, linear_backward
from npgpt.layers.gelu import CUBIC, ROOT
from svg import Svg, chart, printed

X = np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
D_Y = np.array([0.5, -1.0, 1.0, -0.5, 1.0, 0.5])
TAYLOR = ROOT * ROOT / 3 - 1 / 6  # where the two curves would agree best near 0
SPAN = np.linspace(-4, 4, 161)


def worked():
    """Six numbers, each treated on its own, for the text of the page."""
    fits = {name: found[1] for name, found in fitted().items()}
    h = 1e-5
    measured = (gelu(X + h)[0] - gelu(X - h)[0]) / (2 * h)
    fine = np.linspace(-6, 6, 4001)
    low = fine[np.argmin(gelu(fine)[0])]
    assert fits["GELU"] < 1e-3, "as the chapter says"
    return {"gelu": {"args": {"x": X}, "d_y": D_Y, "names": {
        "at": [printed(v) for v in X], "fits": fits, "r": ROOT, "a": CUBIC, "taylor": TAYLOR,
        "measured": measured, "low": low, "lowest": gelu(fine)[0].min(),
        "worst": {"tanh": worst(CUBIC), "taylor": worst(TAYLOR), "none": worst(0.0)},
        "y_slope": gelu_backward(np.ones(6), gelu(X)[1])}}}


def exact(x):
    return np.array([0.5 + 0.5 * math.erf(v / math.sqrt(2)) for v in np.ravel(x)])


def gate(x, cubic):
    return 0.5 * np.tanh(ROOT * (x + cubic * x**3)) + 0.5


def worst(cubic):
    x = np.linspace(-6, 6, 1201)
    return float(np.abs(x * (gate(x, cubic) - exact(x))).max())


RELU = (lambda x: (np.maximum(x, 0), x)), (lambda d_y, x: d_y * (x > 0))
NONE = (lambda x: (x, None)), (lambda d_y, saved: d_y)
POINTS = np.linspace(-3, 3, 61)[:, None]
WAVE = np.sin(2 * POINTS)


@lru_cache(maxsize=1)
def fitted(hidden=16, steps=600, rate=0.02, seed=1):
    """{activation: (fitted curve, squared error)}: 1 → 16 → 1 numbers, trained by Adam."""
    found = {}
    for name, (forward, backward) in {"none": NONE, "ReLU": RELU,
                                      "GELU": (gelu, gelu_backward)}.items():
        draw = np.random.default_rng(seed)
        params = [draw.normal(size=(1, hidden)), draw.normal(size=hidden),
                  draw.normal(size=(hidden, 1)) / 4, np.zeros(1)]
        first, second = [0 * p for p in params], [0 * p for p in params]
        for step in range(1, steps + 1):
            x, s_up = linear(POINTS, params[0], params[1])
            x, s_act = forward(x)
            y, s_down = linear(x, params[2], params[3])
            d_x, down = linear_backward(2 * (y - WAVE) / y.size, s_down)
            _, up = linear_backward(backward(d_x, s_act), s_up)
            grads = [up["weight"], up["bias"], down["weight"], down["bias"]]
            for i, grad in enumerate(grads):
                first[i] = 0.9 * first[i] + 0.1 * grad
                second[i] = 0.99 * second[i] + 0.01 * grad * grad
                params[i] = params[i] - rate * (first[i] / (1 - 0.9**step)) / (
                    np.sqrt(second[i] / (1 - 0.99**step)) + 1e-8)
        found[name] = y[:, 0], float(((y - WAVE) ** 2).mean())
    return found


def problem(width):
    x, found = POINTS[:, 0], fitted()
    return chart(width, {"wave": (x, WAVE[:, 0], "dim"), "none": (x, found["none"][0], "ink"),
                         "GELU": (x, found["GELU"][0], "att")}, "input", "output",
                 y_range=(-1.5, 1.5))


def relu(width):
    x, found = POINTS[:, 0], fitted()
    return chart(width, {"wave": (x, WAVE[:, 0], "dim"), "ReLU": (x, found["ReLU"][0], "ink")},
                 "input", "output", y_range=(-1.5, 1.5))


def picture(width):
    y, saved = gelu(SPAN)
    slope = gelu_backward(np.ones_like(SPAN), saved)
    return chart(width, {"y": (SPAN, y, "att"), "gate": (SPAN, saved[1], "dim"),
                         "slope": (SPAN, slope, "ink")},
                 "x", "", y_range=(-0.6, 4), notes=[(-2.2, -0.48, "a little below 0", "middle")],
                 height=330 if width > 500 else 280)


def area(width):
    """y as the area of a rectangle; x is raised from 1 to 1.5."""
    old, new = 1.0, 1.5
    low, high = gelu(np.array([old, new]))[1][1]
    image = Svg(width, 286)
    left, base = 68, 240
    across, up = (width - left - 74) / new, 200 / high
    span, tall = old * across, low * up
    image.rect(left, base - tall, span, tall, "cellbox att", 2, "--share:.4")
    image.rect(left + span, base - tall, (new - old) * across, tall, "cellbox att", 2,
               "--share:1.5")
    image.rect(left, base - high * up, span, (high - low) * up, "cellbox att", 2, "--share:1.5")
    image.rect(left + span, base - high * up, (new - old) * across, (high - low) * up, "loss", 2)
    image.text(left + span / 2, base - tall / 2 + 4, f"y = 1 · {low:.2f}", "num", "middle")
    image.text(left + span + (new - old) * across / 2, base - tall / 2 + 4,
               "factor" if width < 500 else "as a factor", "num", "middle")
    image.text(left + span / 2, base - (low + high) / 2 * up + 4, "through the gate", "num",
               "middle")
    image.text(left + span / 2, base + 18, "x = 1", "lab", "middle")
    image.text(left + new * across, base + 18, "1.5", "lab", "end")
    image.text(left - 8, base - tall / 2 + 4, f"gate {low:.2f}", "lab", "end")
    image.text(left - 8, base - high * up + 10, f"{high:.2f}", "lab", "end")
    return image


def ways(width):
    """The slope of y by x, and its two parts."""
    _, (_, gates) = gelu(SPAN)
    slope = gelu_backward(np.ones_like(SPAN), gelu(SPAN)[1])
    return chart(width, {"slope": (SPAN, slope, "att"), "as a factor": (SPAN, gates, "dim"),
                         "through gate": (SPAN, slope - gates, "ink")},
                 "x", "", y_range=(-0.3, 1.25))


def forms(width):
    """The exact gate, and tanh with and without the cubic term."""
    x = np.linspace(0, 3, 121)
    return chart(width, {"exact": (x, exact(x), "att"), "with x³": (x, gate(x, CUBIC), "dim"),
                         "without x³": (x, gate(x, 0.0), "ink")}, "x", "gate",
                 y_range=(0.5, 1.02), x_ticks=[0, 1, 2, 3])


def plot(width):
    x = np.linspace(-5, 5, 201)
    return chart(width, {f"{name}": (x, 1000 * x * (gate(x, cubic) - exact(x)), style)
                         for name, cubic, style in (("a = 0.044715", CUBIC, "att"),
                                                    (f"a = {TAYLOR:.4f}", TAYLOR, "ink"))},
                 "x", "tanh form − exact form, in thousandths")
