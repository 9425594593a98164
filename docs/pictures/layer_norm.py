"""Layer norm drawn: why deep stacks need it, five numbers on their way, how a gradient loses
two of its parts, and the slope test's V."""

from functools import lru_cache

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from npgpt.layers import (
    gelu,
    gelu_backward,
    layer_norm,
    layer_norm_backward,
    linear,
    linear_backward,
)
from svg import Svg, chart, gradients_by_part, printed

X = np.array([[-1.0, 1.0, 2.0, 3.0, 5.0],        # mean 2, standard deviation 2
              [30.0, 50.0, -10.0, 10.0, 20.0]])  # mean 20, standard deviation 20
WEIGHT = np.array([1.0, 0.5, 2.0, 1.5, 0.8])
BIAS = np.array([0.0, 2.0, -0.5, 2.5, -0.4])
D_Y = np.array([[0.4, -0.4, 0.2, 0.4, 1.0], [0.2, 0.0, -0.1, 0.2, -0.5]])
CHANNELS = [f"ch {i}" for i in range(1, 6)]
ROW = X[0]


def worked():
    """Two rows with five channels, for the text of the page."""
    found = stacks()
    size = {key: acts[-1] for key, (acts, _) in found.items()}
    grad = {key: grads[0] for key, (_, grads) in found.items()}
    return {"layer_norm": {
        "args": {"x": X, "weight": WEIGHT, "bias": BIAS}, "d_y": D_Y,
        "names": {"ch": CHANNELS, "rows": ["row 1", "row 2"], "size": size, "grad": grad,
                  "growth": {scale: size[scale, False] ** (1 / DEPTH) for scale in SCALES},
                  "learned": ["weight", "bias"]}}}


DEPTH, SCALES = 24, (1, 3)


@lru_cache(maxsize=1)
def stacks(channels=128, rows=32, seed=0):
    """{(scale, norms?): (sizes of the activations after 0 … 24 layers, sizes of their
    gradients)}: each layer is linear and GELU, with or without a norm before it."""
    found = {}
    for scale in SCALES:
        for norms in False, True:
            draw = np.random.default_rng(seed)
            x, saved = draw.normal(size=(rows, channels)), []
            acts, one, zero = [size(x)], np.ones(channels), np.zeros(channels)
            for _ in range(DEPTH):
                weight = draw.normal(size=(channels, channels)) * scale / np.sqrt(channels)
                x, s_norm = layer_norm(x, one, zero) if norms else (x, None)
                x, s_linear = linear(x, weight, zero)
                x, s_gelu = gelu(x)
                acts.append(size(x))
                saved.append((s_norm, s_linear, s_gelu))
            d_x = draw.normal(size=x.shape)
            grads = [size(d_x)]
            for s_norm, s_linear, s_gelu in reversed(saved):
                d_x, _ = linear_backward(gelu_backward(d_x, s_gelu), s_linear)
                d_x = layer_norm_backward(d_x, s_norm)[0] if norms else d_x
                grads.append(size(d_x))
            found[scale, norms] = acts, grads[::-1]
    return found


def size(x):
    return float(np.sqrt((x * x).mean()))


def stack_chart(width, which, y_label, where):
    found, layers = stacks(), list(range(DEPTH + 1))
    series = {}
    for scale in SCALES:
        series["with norms" if scale == 1 else " with"] = layers, found[scale, True][which], "att"
        series["without" if scale == 1 else " without"] = layers, found[scale, False][which], "ink"
    notes = [(x, found[scale, False][which][x] * up, words, anchor)
             for scale, words, x, up, anchor in where]
    return chart(width, series, "layer", y_label, y_log=True, y_range=(1e-9, 1e9),
                 x_ticks=[0, 4, 8, 12, 16, 20, 24], notes=notes)


def problem(width):
    return stack_chart(width, 0, "size of the activations", [
        (3, "large weights", 13, 20, "end"), (1, "small weights", 13, 1 / 900, "end")])


def problem_gradients(width):
    return stack_chart(width, 1, "size of the gradients", [
        (3, "large weights", 11, 20, "start"), (1, "small weights", 11, 1 / 900, "start")])


def picture(width):
    mean, std = ROW.mean(), ROW.std()
    y, (normed, *_) = layer_norm(ROW, WEIGHT, BIAS, eps=0.0)
    rows = [("x", ROW, f"mean {printed(mean)}, std {printed(std)}"),
            ("centred", ROW - mean, f"mean 0, std {printed(std)}"),
            ("normed", normed, "mean 0, std 1"), ("y", y, "")]
    ribbon = [(mean, std), (0, std), (0, 1)]
    words = ["subtract the mean", "divide by the std", "scale and shift each"]
    phone = width < 500
    left, gap = (98, 96) if phone else (176, 92)
    low = min(v.min() for _, v, _ in rows) - 0.25
    high = max(v.max() for _, v, _ in rows) + 0.25
    image = Svg(width, 26 + 3 * gap + 34)

    def at(value):
        return left + (value - low) / (high - low) * (width - left - 6)

    levels = [26 + gap * i for i in range(4)]
    sides = [[(at(m + way * s), y) for (m, s), y in zip(ribbon, levels)] for way in (-1, 1)]
    image.polygon(sides[0] + sides[1][::-1], "ribbon")
    for level in levels:
        image.line(left, level, width - 6, level, "axis")
    for i, text in enumerate(words):
        image.step(f"layer_norm-{i + 1}", 0, levels[i] + 20, width, gap - 40)
        for a, b in zip(rows[i][1], rows[i + 1][1]):
            image.line(at(a), levels[i], at(b), levels[i + 1])
        cut = text.split(" ")
        image.label(0, levels[i] + gap / 2 + (5 if phone else 6), i + 1,
                    [" ".join(cut[:2]), " ".join(cut[2:])] if phone else text,
                    22 if phone else 26)
        image.end()
    for level, (name, values, note) in zip(levels, rows):
        image.name(0, level + 4, name, note, None if phone else 158)
        for value in values:
            image.dot(at(value), level)
        for value in sorted(set(values)):
            below = name == "y" or (phone and name == "normed" and value == 0)
            image.text(at(value), level + (21 if below else -11), printed(value, 2), "num",
                       "middle")
    return image


def change_bars(image, before, after, base, scale, left, step):
    """Five columns, with what each gains and loses."""
    image.line(left, base, left + 5 * step, base, "axis")
    for i, (old, new) in enumerate(zip(before, after)):
        x = left + (i + 0.2) * step
        inner, outer = sorted((abs(old), abs(new)))
        if old * new < 0:
            inner = 0.0
        mark = 1 if (old if abs(old) > 1e-9 else new) >= 0 else -1
        image.rect(x, base - inner * scale * (mark > 0), 0.6 * step, inner * scale,
                   "cellbox att", 2, "--share:.9")
        top = base - outer * scale if mark > 0 else base + inner * scale
        image.rect(x, top, 0.6 * step, (outer - inner) * scale,
                   "gain" if abs(new) > abs(old) else "loss", 2)
        words = ("+" if new > old else "") + printed(new - old, 2)
        image.text(left + (i + 0.5) * step,
                   base - outer * scale - 7 if mark > 0 else base + outer * scale + 16,
                   words, "num", "middle")


def raised(width):
    """Channel 5 of `centred` is raised by 1: what that does to `normed`."""
    centred = ROW - ROW.mean()
    after = centred + np.eye(5)[4]
    ways = [("centred", centred, after, 12.0, 92),
            ("normed", centred / ROW.std(), after / np.sqrt((after * after).mean()), 40.0, 262)]
    image = Svg(width, 372)
    left = 74 if width < 500 else 130
    step = (width - left) / 5
    for name, old, new, scale, base in ways:
        change_bars(image, old, new, base, scale, left, step)
        image.name(0, base - 4, name, "of row 1")
    for i, word in enumerate(CHANNELS):
        image.text(left + (i + 0.5) * step, 362, word, "tok", "middle")
    return image


def parts(width):
    """Row 1 on its way back: what step (2) and step (1) take out of the gradient."""
    y, saved = layer_norm(ROW, WEIGHT, BIAS)
    normed, inv_std = saved[0], saved[1][0]
    d_normed = D_Y[0] * WEIGHT
    direction = normed * (d_normed * normed).mean()
    d_centred = (d_normed - direction) * inv_std
    mean = np.full(5, d_centred.mean())
    rows = [("d_normed", d_normed, "arrives"), ("out in (2)", direction, "normed · mean_grad"),
            ("d_centred", d_centred, "the rest · inv_std"), ("out in (1)", mean, "its mean"),
            ("d_x", d_centred - mean, "what is left")]
    return gradients_by_part(width, rows, CHANNELS, 122 if width < 500 else 150, 92, 50)


def errors(norm, backward, draws, step):
    """The worst gap between the measured slope and the gradient's, over 64 directions."""
    x, d_y, weight, bias, directions, total = draws
    d_x, _ = backward(d_y, norm(x, weight, bias)[1])
    worst = 0.0
    for v in directions:
        forth, behind = norm(x + step * v, weight, bias)[0], norm(x - step * v, weight, bias)[0]
        slope = ((forth - behind) * d_y).sum() / (2 * step)
        worst = max(worst, float(abs(slope - (d_x * v).sum())))
    return worst


def plot(width):
    draw = np.random.default_rng(0).normal
    x, d_y = draw(size=(2, 3, 4, 16))
    directions = draw(size=(64, 3, 4, 16))
    arrays = x, d_y, np.ones(16), np.zeros(16), directions
    steps = 10.0 ** np.arange(-11, -0.9, 0.5)
    ours = [errors(npgpt.layers.layer_norm, npgpt.layers.layer_norm_backward,
                   (*arrays, None), h) for h in steps]
    tensors = [torch.from_numpy(a) for a in arrays]
    theirs = [errors(torchgpt.layers.layer_norm, torchgpt.layers.layer_norm_backward,
                     (*tensors, None), h) for h in steps]
    best = steps[int(np.argmin(ours))]
    notes = [(best, min(ours) / 6, f"best near {best:.0e}".replace("e-0", "e-"), "middle")]
    if width > 500:
        notes += [(1e-8, ours[4] * 60, "rounding, grows as 1/h", "middle"),
                  (1e-3, ours[-5] * 60, "curvature, grows as h²", "end")]
    return chart(width, {"NumPy": (steps, ours, "np"), "PyTorch": (steps, theirs, "pt")},
                 "step size h", "error", x_log=True, y_log=True,
                 y_range=(min(ours) / 30, max(ours) * 3), notes=notes)
