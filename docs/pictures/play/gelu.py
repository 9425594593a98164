"""GELU beside ReLU and SiLU, to be moved: x, and the slope there."""

import numpy as np
from npgpt.layers import gelu, gelu_backward, silu, silu_backward
from playing import Figure, Graph

NAMES = ["GELU", "ReLU", "SiLU"]
STYLES = ["ln-att", "ln-dim", "ln-ink"]
INPUTS = {"x": 1.0, "which": 0}
PRESETS = {"dead": {"x": -2, "which": 1}, "alive": {"x": -2, "which": 0},
           "dip": {"x": -0.75, "which": 0}, "one": {"x": 4, "which": 0}}


def three(x):
    """-> y and slope of the three at x."""
    x = np.asarray(x, dtype=float)
    ys, slopes = [], []
    for forward, backward in ((gelu, gelu_backward), (silu, silu_backward)):
        y, saved = forward(x)
        ys.append(y)
        slopes.append(backward(np.ones_like(x), saved))
    ys.insert(1, np.maximum(x, 0))
    slopes.insert(1, (x > 0).astype(float))
    return ys, slopes


def values(inputs):
    x, which = float(inputs["x"]), inputs["which"]
    ys, slopes = ([float(value) for value in part] for part in three(x))
    y, slope = ys[which], slopes[which]
    return {"y": ys, "slope": slopes, "dot": [x, y], "name": NAMES[which], "here": y,
            "steep": slope, "x": x,
            "tangent": [[x - 0.8, y - 0.8 * slope], [x + 0.8, y + 0.8 * slope]],
            "read": "no gradient comes back: the unit learns nothing from this input"
            if slope == 0 else "the gradient comes back with its sign changed" if slope < 0
            else "the gradient comes back smaller" if slope < 1
            else "the gradient comes back at least as large"}


def graph(figure, width):
    image = Graph(figure, width, (-4, 4), (-1, 4), "x", "y")
    xs = np.linspace(-4, 4, 81)
    for name, style, ys in zip(NAMES, STYLES, three(xs)[0]):
        image.curve(list(zip(xs, ys)), style)
        image.line(image.left + 10, 44 + 20 * NAMES.index(name), image.left + 34,
                   44 + 20 * NAMES.index(name), style)
        image.text(image.left + 42, 48 + 20 * NAMES.index(name), name, "ann")
    return image.moved("tangent", "ln-tangent").point("dot")


def play():
    figure = Figure(values, INPUTS, names=NAMES, presets=PRESETS)
    rows = "".join(
        figure.row(name, figure.value(f"y.{i}", "3"),
                   figure.bar(f"slope.{i}", 1.5, signed=True), figure.value(f"slope.{i}", "3"),
                   kind="two")
        for i, name in enumerate(NAMES))
    captions = ('<div class="row head two" aria-hidden="true"><span></span><span class="val">y'
                '</span><span>slope, from −1.5 to 1.5</span><span></span></div>')
    return (figure.row("x", figure.slider("x", "x", -4, 4, 0.05), kind="ctl-row")
            + '<div class="ctl">' + figure.choice("which", "slope of", dict(enumerate(NAMES)))
            + "</div>"
            + figure.twice(lambda width: graph(figure, width),
                           "The curves of GELU, ReLU and SiLU. A dot marks x on the chosen one, "
                           "and a short line its slope there.")
            + captions + rows
            + figure.say("At x = {x} {name} gives {here:3}, and its slope is {steep:3}: {read:s}.")
            + figure.reset()), figure.data
