"""Softmax drawn: five scores on their way; and how its gradient fades when scores spread."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from npgpt.random_stream import normals
from svg import Svg, chart

X = np.array([2.0, 1, 3, -1, 2.5])


def picture(width):
    probs, _ = npgpt.layers.softmax(X)
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
        image.bars(left, y, values, step, 40 if name == "x" else 64, digits=2)
    return image


def sizes(layer, backward, spreads, x, d_probs):
    """The mean size of a gradient entry for scores of each standard deviation."""
    out = []
    for spread in spreads:
        _, saved = layer(x * float(spread))
        out.append(float(abs(backward(d_probs, saved)).mean()))
    return out


def plot(width):
    x, d_probs = normals((512, 16), 1, 0, "x"), normals((512, 16), 1, 0, "d_probs")
    spreads = 10.0 ** np.arange(-1, 2.01, 0.25)
    ours = sizes(npgpt.layers.softmax, npgpt.layers.softmax_backward, spreads, x, d_probs)
    theirs = sizes(torchgpt.layers.softmax, torchgpt.layers.softmax_backward, spreads,
                   torch.from_numpy(x), torch.from_numpy(d_probs))
    return chart(width, {"NumPy": (spreads, ours, "np"), "PyTorch": (spreads, theirs, "pt")},
                 "standard deviation of the scores", "mean |d_x|", x_log=True, y_log=True)
