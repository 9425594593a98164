"""Layer norm drawn: five numbers on their way, and the slope test's V."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart, printed

ROW = np.array([-1.0, 1.0, 2.0, 3.0, 5.0])
WEIGHT = np.array([1.0, 0.4, 2.0, 1.2, 0.8])
BIAS = np.array([0.0, 2.0, -0.4, 2.6, -0.4])


def picture(width):
    mean, std = ROW.mean(), ROW.std()
    y, (normed, *_) = npgpt.layers.layer_norm(ROW, WEIGHT, BIAS, eps=0.0)
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
            image.text(at(value), level + (21 if below else -11), printed(value), "num", "middle")
    return image


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
                  (1e-3, ours[-5] * 60, "truncation, grows as h²", "end")]
    return chart(width, {"NumPy": (steps, ours, "np"), "PyTorch": (steps, theirs, "pt")},
                 "step size h", "error", x_log=True, y_log=True,
                 y_range=(min(ours) / 30, max(ours) * 3), notes=notes)
