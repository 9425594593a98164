"""A line through four points, to be moved by hand or step by step: weight, bias, rate."""

import math

import numpy as np
from npgpt.foundations import line, line_backward
from playing import Figure, Graph, taken

X, Y = taken("line", "X"), taken("line", "TARGETS")
START = {"w": float(taken("line", "WEIGHT")), "b": float(taken("line", "BIAS"))}
LIMITS = {"w": (1, 5), "b": (0, 4)}
INPUTS = {**START, "rate": 0.2}
PRESETS = {"step": {"w": "=next_w", "b": "=next_b"}, "best": {"w": "=best_w", "b": "=best_b"},
           "far": {**START, "rate": 0.6}}


def on_slider(name, value):
    """The slider's nearest place."""
    low, high = LIMITS[name]
    return min(max(math.floor(100 * value + 0.5) / 100, low), high)


def values(inputs):
    w, b, rate = (float(inputs[name]) for name in ("w", "b", "rate"))
    loss, saved = line(X, np.float64(w), np.float64(b), Y)
    _, grads = line_backward(1.0, saved)
    dw, db = float(grads["weight"]), float(grads["bias"])
    (best_w, best_b), *_ = np.linalg.lstsq(np.stack([X, np.ones(4)], axis=1), Y, rcond=None)
    return {"line": [[x, w * x + b] for x in (-1.2, 2.2)],
            "error": [float(e) for e in saved[2]], "square": [float(e * e) for e in saved[2]],
            "loss": float(loss), "dw": dw, "db": db, "rate": rate,
            "next_w": on_slider("w", w - rate * dw), "next_b": on_slider("b", b - rate * db),
            "best_w": on_slider("w", best_w), "best_b": on_slider("b", best_b),
            "read": "the sum of the errors is nearly 0: the height is right" if abs(db) < 0.1
            else "on the whole the line lies too low" if db < 0
            else "on the whole the line lies too high"}


def graph(figure, width):
    image = Graph(figure, width, (-1.2, 2.2), (-6, 15), "x", "y")
    image.moved("line", "ln-att")
    for point in zip(X, Y):
        image.dot(*image.at(*point))
    return image


def play():
    best = values(INPUTS)
    figure = Figure(values, INPUTS, x=X.tolist(), y=Y.tolist(), limits=LIMITS, presets=PRESETS,
                    best=[best["best_w"], best["best_b"]])
    sliders = "".join(
        figure.row(f"<code>{words}</code>", figure.slider(name, words, low, high, step),
                   kind="ctl-row wide-label")
        for name, words, low, high, step in (
            ("w", "weight", *LIMITS["w"], 0.01), ("b", "bias", *LIMITS["b"], 0.01),
            ("rate", "rate", 0.05, 0.8, 0.05)))
    captions = ('<div class="row head two" aria-hidden="true"><span></span><span class="val">error'
                '</span><span>from −4 to 4</span><span class="val">square</span></div>')
    rows = "".join(
        figure.row(f"point {i + 1}", figure.value(f"error.{i}"),
                   figure.bar(f"error.{i}", 4, signed=True), figure.value(f"square.{i}"),
                   kind="two") for i in range(4))
    return (sliders
            + figure.twice(lambda width: graph(figure, width),
                           "Four points and the line, which moves with weight and bias.")
            + captions + rows
            + figure.say("The loss is {loss:3}. Its slope by the weight is {dw:+2}, by the bias "
                         "{db:+2}: {read:s}.")
            + figure.reset()), figure.data
