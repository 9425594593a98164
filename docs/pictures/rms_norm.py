"""RMS norm drawn: deep stacks with it, with layer norm and with neither, what each costs, a row
on its circle, and what a common level does."""

from functools import lru_cache

import numpy as np
from npgpt.layers import (
    gelu,
    gelu_backward,
    layer_norm,
    layer_norm_backward,
    linear,
    linear_backward,
    rms_norm,
    rms_norm_backward,
)
from svg import Svg, chart, gradients_by_part, printed

X = np.array([[-1.0, 0.0, 1.0, 3.0, 3.0],         # root mean square 2, mean 1.2
              [30.0, -10.0, 10.0, 0.0, -30.0]])   # root mean square 20, mean 0
WEIGHT = np.array([1.0, 0.5, 2.0, 1.5, 0.4])
D_Y = np.array([[0.4, -0.4, 0.2, 0.4, 1.0], [0.2, 0.0, -0.1, 0.2, -0.5]])
CHANNELS = [f"ch {i}" for i in range(1, 6)]
DEPTH = 24
ONE, ZERO = np.ones(128), np.zeros(128)
NORMS = {"neither": (lambda x: (x, None), lambda d_y, _: (d_y, {})),
         "RMS norm": (lambda x: rms_norm(x, ONE), rms_norm_backward),
         "layer norm": (lambda x: layer_norm(x, ONE, ZERO), layer_norm_backward)}


def worked():
    """Two rows with five channels, for the text of the page."""
    found = stacks()
    y, (normed, *_) = rms_norm(X, WEIGHT)
    doubled, saved = rms_norm(2 * X, WEIGHT)
    return {"rms_norm": {
        "args": {"x": X, "weight": WEIGHT}, "d_y": D_Y,
        "names": {"ch": CHANNELS, "rows": ["row 1", "row 2"], "counts": counts(),
                  "size": {name: acts[-1] for name, (acts, _) in found.items()},
                  "grad": {name: grads[0] for name, (_, grads) in found.items()},
                  "doubled": abs(doubled - y).max(),
                  "twice_d_x": rms_norm_backward(D_Y, saved)[0],
                  "layer_normed": layer_norm(X, np.ones(5), np.zeros(5))[0],
                  "left": {level: levels([level])[0][0] for level in (1, 10)}}}}


class Counted(np.ndarray):
    """An array that counts the additions, products and roots made with it."""

    made = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [np.asarray(a) for a in inputs]
        if out is not None:
            options["out"] = tuple(None if a is None else np.asarray(a) for a in out)
        result = getattr(ufunc, method)(*plain, **options)
        Counted.made += plain[0].size if method == "reduce" else np.size(result)
        return np.asarray(result).view(Counted)


def counts(rows=50, channels=1000):
    """Operations for each number of the input: forward and backward, of the two norms."""
    draw = np.random.default_rng(0)
    x, d_y = (draw.normal(size=(rows, channels)).view(Counted) for _ in range(2))
    weight, bias = np.ones(channels), np.zeros(channels)
    found = np.zeros((2, 2))
    for column, (norm, backward, params) in enumerate((
            (layer_norm, layer_norm_backward, (weight, bias)),
            (rms_norm, rms_norm_backward, (weight,)))):
        Counted.made = 0
        _, saved = norm(x, *params)
        found[0, column], Counted.made = Counted.made, 0
        backward(d_y, saved)
        found[1, column] = Counted.made
    return (found / x.size).round(1)


@lru_cache(maxsize=1)
def stacks(rows=32, seed=0):
    """{norm: (sizes of the activations after 0 … 24 layers, sizes of their gradients)}: each
    layer is a norm, a linear layer and a GELU, with the same weights."""
    found = {}
    for name, (norm, backward) in NORMS.items():
        draw = np.random.default_rng(seed)
        x, saved = draw.normal(size=(rows, 128)), []
        acts = [size(x)]
        for _ in range(DEPTH):
            weight = draw.normal(size=(128, 128)) / np.sqrt(128)
            x, s_norm = norm(x)
            x, s_linear = linear(x, weight, ZERO)
            x, s_gelu = gelu(x)
            acts.append(size(x))
            saved.append((s_norm, s_linear, s_gelu))
        d_x = draw.normal(size=x.shape)
        grads = [size(d_x)]
        for s_norm, s_linear, s_gelu in reversed(saved):
            d_x, _ = linear_backward(gelu_backward(d_x, s_gelu), s_linear)
            d_x, _ = backward(d_x, s_norm)
            grads.append(size(d_x))
        found[name] = acts, grads[::-1]
    return found


def size(x):
    return float(np.sqrt((x * x).mean()))


STYLES = {"RMS norm": "att", "layer norm": "dim", "neither": "ink"}


def problem(width):
    found, layers = stacks(), list(range(DEPTH + 1))
    return chart(width, {name: (layers, found[name][0], style) for name, style in STYLES.items()},
                 "layer", "size of the activations", y_log=True, y_range=(1e-8, 1e2),
                 x_ticks=[0, 4, 8, 12, 16, 20, 24])


def problem_gradients(width):
    found, layers = stacks(), list(range(DEPTH + 1))
    return chart(width, {name: (layers, found[name][1], style) for name, style in STYLES.items()},
                 "layer", "size of the gradients", y_log=True, y_range=(1e-8, 1e2),
                 x_ticks=[0, 4, 8, 12, 16, 20, 24])


def picture(width):
    """Row 1 on its way: divided by its root mean square, then scaled channel by channel."""
    row = X[0]
    y, (normed, *_) = rms_norm(row, WEIGHT, eps=0.0)
    rows = [("x", row, f"rms {printed(size(row))}"), ("normed", normed, "rms 1"), ("y", y, "")]
    words = ["divide by the rms", "scale each"]
    phone = width < 500
    left, gap = (98, 104) if phone else (150, 106)
    low, high = -2.2, 3.4
    image = Svg(width, 26 + 2 * gap + 36)

    def at(value):
        return left + (value - low) / (high - low) * (width - left - 6)

    levels = [26 + gap * i for i in range(3)]
    ribbon = [(-2.0, 2.0), (-1.0, 1.0)]
    image.polygon([(at(max(a, low)), y) for (a, _), y in zip(ribbon, levels)]
                  + [(at(b), y) for (_, b), y in list(zip(ribbon, levels))[::-1]], "ribbon")
    for level in levels:
        image.line(left, level, width - 6, level, "axis")
    image.line(at(0), levels[0], at(0), levels[2], "grid")
    for i, text in enumerate(words):
        image.step(f"rms_norm-{i + 1}", 0, levels[i] + 20, width, gap - 40)
        for a, b in zip(rows[i][1], rows[i + 1][1]):
            image.line(at(a), levels[i], at(b), levels[i + 1])
        cut = text.split(" ")
        image.label(0, levels[i] + gap / 2 + 4, i + 1,
                    [" ".join(cut[:2]), " ".join(cut[2:])] if phone else text,
                    22 if phone else 26)
        image.end()
    for level, (name, values, note) in zip(levels, rows):
        image.name(0, level + 4, name, note, None if phone else 138)
        for value in values:
            image.dot(at(value), level)
        for value in sorted(set(values)):
            below = name == "y"
            image.text(at(value), level + (21 if below else -11), printed(value, 2), "num",
                       "middle")
    return image


def circle(width):
    """Two channels: rows of any size end on one circle, and a gradient keeps only the part
    that moves along it."""
    row = np.array([2.4, 1.2])
    other = 0.35 * np.array([1.2, -3.0])
    d_normed = np.array([0.9, -0.7])
    image = Svg(width, 320)
    scale = 70 if width < 500 else 100
    x0, y0 = (112 if width < 500 else 250), 166

    def at(point):
        return x0 + scale * point[0], y0 - scale * point[1]

    radius = np.sqrt(2)
    turn = np.linspace(0, 2 * np.pi, 121)
    image.line(x0 - 1.5 * scale, y0, x0 + 2.6 * scale, y0, "axis")
    image.line(x0, y0 + 1.5 * scale, x0, y0 - 1.6 * scale, "axis")
    image.polyline([at((radius * np.cos(t), radius * np.sin(t))) for t in turn], "ln-dim")
    for vector, word in ((row, "x"), (other, "another row")):
        normed = vector / size(vector)
        end, on = at(vector), at(normed)
        image.line(x0, y0, *end)
        image.line(*on, *end)
        image.dot(*end, 4)
        image.dot(*on, 5, "att-o")
        image.text(end[0] + (9 if word == "x" else -10), end[1] + 5, word, "lab",
                   "start" if word == "x" else "end")
    normed = row / size(row)
    on = at(normed)
    parallel = normed * (normed * d_normed).mean()
    rest = d_normed - parallel
    image.arrow(*on, *at(normed + d_normed))
    image.line(*on, *at(normed + parallel), "ln-ink")
    image.line(*at(normed + parallel), *at(normed + d_normed), "ln-att")
    image.text(on[0] - 9, on[1] - 4, "normed", "lab", "end")
    image.text(at(normed + d_normed)[0] + 8, at(normed + d_normed)[1] + 5, "d_normed", "lab")
    image.text(at(normed + parallel)[0] - 2, at(normed + parallel)[1] - 12, "along the row", "nt",
               "end")
    middle = at(normed + parallel + 0.55 * rest)
    image.text(middle[0] + 9, middle[1] + 2, "the rest", "nt")
    return image


def parts(width):
    """Row 1 on its way back: what step (1) takes out of the gradient."""
    _, saved = rms_norm(X[0], WEIGHT)
    normed, inv_rms = saved[0], saved[1][0]
    d_normed = D_Y[0] * WEIGHT
    parallel = normed * (d_normed * normed).mean()
    rows = [("d_normed", d_normed, "arrives"), ("out in (1)", parallel, "normed · mean_grad"),
            ("the rest", d_normed - parallel, "the difference"),
            ("d_x", (d_normed - parallel) * inv_rms, "the rest · inv_rms")]
    return gradients_by_part(width, rows, CHANNELS, 126 if width < 500 else 150, 88, 58)


def levels(common, channels=512, seed=0):
    """For each common level: how much of the differences between a row's numbers is left,
    after RMS norm and after layer norm."""
    row = np.random.default_rng(seed).normal(size=channels)
    row = (row - row.mean()) / row.std()
    one, zero = np.ones(channels), np.zeros(channels)
    return ([rms_norm(row + level, one)[0].std() for level in common],
            [layer_norm(row + level, one, zero)[0].std() for level in common])


def plot(width):
    common = 10.0 ** np.linspace(-2, 2, 42)
    ours, theirs = levels(common)
    return chart(width, {"RMS norm": (common, ours, "att"), "layer norm": (common, theirs, "dim")},
                 "a number added to all channels",
                 "standard deviation of the output", x_log=True, y_range=(0, 1.15))
