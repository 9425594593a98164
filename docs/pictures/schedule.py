"""The schedule drawn: up in a line, down along a cosine; and what it buys under noise."""

import numpy as np
from npgpt.random_stream import normals
from npgpt.training import warmup_cosine
from svg import Svg, chart

LR, MIN, WARM, DECAY, END = 1e-3, 1e-4, 100, 1000, 1200


def picture(width):
    phone = width < 500
    height = 300 if phone else 330
    left, right, top, low = 46, width - 8, 30, height - 62
    image = Svg(width, height)

    def at(step, rate):
        return left + step / END * (right - left), low - rate / LR * (low - top)

    for rate, words in ((0, "0"), (MIN, "min_lr"), (LR, "lr")):
        _, y = at(0, rate)
        image.line(left, y, right, y, "axis")
        image.text(left - 7, y + 4, words, "nt", "end")
    parts = [(1, 0, WARM, "warm up"), (3, WARM, DECAY, "follow half a cosine"),
             (2, DECAY, END, "hold")]
    for number, first, last, words in parts:
        x, x2 = at(first, 0)[0], at(last, 0)[0]
        image.step(f"warmup_cosine-{number}", x, top - 12, x2 - x, low - top + 58)
        steps = np.arange(first, last + 1, 4)
        image.polyline([at(s, warmup_cosine(s, LR, WARM, DECAY, MIN)) for s in steps], "ln-np")
        if first:
            image.line(x, top - 6, x, low + 8, "axis")
        if phone and number != 3:
            image.text((x + x2) / 2, low + 44, f"({number})", "lab", "middle")
        else:
            image.text((x + x2) / 2, low + 44, f"({number}) {words}", "lab", "middle")
        image.end()
    for step, words in ((0, "0"), (WARM, "warmup" if phone else "warmup_steps"),
                        (DECAY, "decay_steps")):
        anchor = "start" if step == WARM else "middle"
        image.text(at(step, 0)[0] - (10 if step == WARM and not phone else 0), low + 22, words,
                   "nt", anchor)
    return image


def noisy(rates):
    """Mean squared distance from the best weight, over 4000 weights with noisy gradients."""
    w, out = np.full(4000, 3.0), []
    for step, rate in enumerate(rates):
        out.append(float((w * w).mean()))
        w = w - rate * (w + normals(w.shape, 1, step, "noise"))
    return out


def plot(width):
    steps = np.arange(100)
    curves = {"constant 0.2": ([0.2] * 100, "ink"), "constant 0.02": ([0.02] * 100, "dim"),
              "schedule": ([warmup_cosine(s, 0.2, 10, 100) for s in steps], "np")}
    if width < 500:
        curves = {name.replace("constant ", ""): v for name, v in curves.items()}
    return chart(width, {name: (steps, noisy(rates), style)
                         for name, (rates, style) in curves.items()},
                 "step", "mean squared distance from the best", y_log=True)
