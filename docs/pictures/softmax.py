"""Softmax drawn: five scores on their way, what replaces it badly, what one raised score does,
and how its gradient fades when scores spread."""

from functools import lru_cache

import numpy as np
from npgpt.layers import softmax, softmax_backward
from npgpt.random_stream import normals
from svg import Svg, chart, gains_and_losses, printed, signed

WORDS = ["chair", "floor", "bed", "moon", "sofa"]  # The cat sleeps on the …
X = np.array([2.0, 1, 3, -1, 2.5])
D_PROBS = np.array([0.0, 0.2, 0.6, 0.2, -0.6])
SOFA = 4


def worked():
    """Five candidates for the next word, for the text of the page."""
    probs, saved = softmax(X)
    d_x = softmax_backward(D_PROBS, saved)
    after = softmax(X - d_x)[0]
    ways = np.stack([X / X.sum(), X.max() == X, probs])
    return {"softmax": {"args": {"x": X}, "d_y": D_PROBS, "names": {
        "words": WORDS, "ways": ways, "chair": 0, "floor": 1, "bed": 2, "moon": 3, "sofa": SOFA,
        "way_names": ["x / sum of x", "largest takes all", "softmax"], "after": after,
        "trained": trained()}}}


@lru_cache(maxsize=1)
def trained(steps=40, rate=2.0):
    """The share of sofa after each step uphill, for three ways to turn scores into shares."""
    found = {}
    for way in "softmax", "divide", "largest":
        x, fractions = X.copy(), []
        for _ in range(steps + 1):
            right = np.eye(5)[SOFA]
            if way == "softmax":
                probs, saved = softmax(x)
                slope = softmax_backward(right, saved)
            elif way == "divide":
                probs = x / x.sum()
                slope = (right - probs[SOFA]) / x.sum()
            else:
                probs, slope = (x.max() == x).astype(float), np.zeros(5)
            fractions.append(100 * probs[SOFA])
            x = x + rate * slope
        found[way] = fractions
    return found


def problem(width):
    found = trained()
    steps = list(range(len(found["softmax"])))
    return chart(width, {"softmax": (steps, found["softmax"], "att"),
                         "x / sum": (steps, found["divide"], "ink"),
                         "largest": (steps, found["largest"], "dim")},
                 "step of training", "share of “sofa” in %", y_range=(-20, 300))


def picture(width):
    probs, _ = softmax(X)
    shifted = X - X.max()
    powers = np.exp(shifted)
    phone = width < 500
    left = 74 if phone else 170
    step = (width - left - 4) / 5
    image = Svg(width, 462)
    rows = [("x", X, 64, "scores"), ("shifted", shifted, 134, "largest is 0"),
            ("powers", powers, 314, "largest is 1"), ("probs", probs, 436, "sum is 1")]
    words = [("make the", "largest 0"), ("exponentiate",), ("divide", "by the sum")]
    for i, (cut, y) in enumerate(zip(words, [98, 236, 362])):
        image.step(f"softmax-{i + 1}", 0, y - 20, width, 60)
        image.label(0, y, i + 1, list(cut) if phone else " ".join(cut), 22 if phone else 26)
        image.end()
    for name, values, y, note in rows:
        image.name(0, y + 14 if name == "shifted" else y - 8, name, note)
        image.bars(left, y, values, step, 40 if name == "x" else 64, kind="att", digits=2)
    for i, word in enumerate(WORDS):
        image.text(left + (i + 0.5) * step, 456, word, "tok", "middle")
    return image


def exponential(width):
    """The power of e near 0, and its tangent."""
    x = np.linspace(-1, 1, 81)
    return chart(width, {"e to the x": (x, np.exp(x), "att"), "1 + x": (x, 1 + x, "dim")},
                 "x", "", y_range=(0, 3), x_ticks=[-1, -0.5, 0, 0.5, 1])


def bars(width):
    """The row before and after the score of sofa is raised by a half."""
    before, _ = softmax(X)
    after, _ = softmax(X + 0.5 * np.eye(5)[SOFA])
    return gains_and_losses(width, WORDS, before, after, 250)


def gradients(width):
    """d_probs of each word and their mean; below, what is left times the probability."""
    probs, saved = softmax(X)
    d_x, mean = softmax_backward(D_PROBS, saved), float(probs @ D_PROBS)
    image = Svg(width, 320)
    left = 0 if width < 500 else 40
    step = (width - left) / 5

    def y(value):
        return 96 - 92 * value

    image.text(0, 14, "d_probs", "lab").text(0, 178, "d_x", "lab")
    image.line(left, y(0), width, y(0), "axis").line(left, y(mean), width, y(mean), "level")
    image.text(left, y(mean) - 7, f"mean_grad {printed(mean, 2)}", "num")
    for i, word in enumerate(WORDS):
        x = left + (i + 0.5) * step
        kind = "up" if D_PROBS[i] > mean else "dn"
        image.line(x, y(D_PROBS[i]), x, y(mean), f"gap {kind}")
        image.dot(x, y(D_PROBS[i]), 5, f"{kind}-o")
        image.text(x, y(D_PROBS[i]) + (-10 if D_PROBS[i] > mean else 20), signed(D_PROBS[i]),
                   "num", "middle")
        size = 190 * d_x[i]
        image.rect(x - 0.28 * step, 232 - max(size, 0), 0.56 * step, max(abs(size), 0.5),
                   f"{kind}-o", 2)
        image.text(x, 232 - max(size, 0) - 6 if size > 0 else 232 - size + 15,
                   signed(d_x[i], 3), "num", "middle")
        image.text(x, 312, word, "tok", "middle")
    image.line(left, 232, width, 232, "axis")
    return image


def plot(width):
    """The mean size of a gradient entry for scores of each spread."""
    x, d_probs = normals((512, 16), 1, 0, "x"), normals((512, 16), 1, 0, "d_probs")
    spreads, sizes = 10.0 ** np.arange(-1, 2.01, 0.25), []
    for spread in spreads:
        _, saved = softmax(x * float(spread))
        sizes.append(float(abs(softmax_backward(d_probs, saved)).mean()))
    return chart(width, {"softmax": (spreads, sizes, "att")},
                 "standard deviation of the scores", "mean |d_x|", x_log=True, y_log=True)
