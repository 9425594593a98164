"""Cross-entropy drawn: one position from logits to its gradient; and the loss by confidence."""

import npgpt.layers
import numpy as np
import torch
import torchgpt.layers
from svg import Svg, chart

WORDS = ["mat", "dog", "hat", "sun", "car"]
LOGITS = np.array([2.0, 0.5, 1.5, -1, 0])
RIGHT = 2


def picture(width):
    loss, saved = npgpt.layers.cross_entropy(LOGITS[None], np.array([RIGHT]))
    probs = saved[0][0]
    d_logits = npgpt.layers.cross_entropy_backward(1.0, saved)[0]
    phone = width < 500
    left = 66 if phone else 150
    step = (width - left - 4) / 5
    image = Svg(width, 428)
    image.rect(left + RIGHT * step + 2, 0, step - 4, 420, "ribbon", 6)
    for i, word in enumerate(WORDS):
        image.text(left + (i + 0.5) * step, 18, word, "tok", "middle")
    rows = [("logits", LOGITS, 104, "scores"), ("probs", probs, 230, "sum is 1"),
            ("d_logits", d_logits, 342, "sum is 0")]
    for name, values, y, note in rows:
        image.name(0, y - 8, name, note)
        tints = ["pt" if i == RIGHT else "np" for i in range(5)] if name == "probs" else None
        image.bars(left, y, values, step, 52, tints=tints)
    image.step("cross_entropy-3", 0, 244, width, 34)
    image.text(0 if phone else left, 264, f"loss = −log {probs[RIGHT]:.2f} = {loss:.2f}", "num")
    image.end()
    return image


def losses(layer, backward, margins, make):
    """Loss, and the right logit's gradient, with the right logit ahead by each margin."""
    out = []
    for margin in margins:
        logits = np.zeros((1, 4))
        logits[0, 1] = margin
        loss, saved = layer(make(logits), make(np.array([1])))
        out.append((float(loss), float(backward(1.0, saved)[0, 1])))
    return np.array(out).T


def plot(width):
    margins = np.arange(-8, 8.1, 0.5)
    ours, slopes = losses(npgpt.layers.cross_entropy, npgpt.layers.cross_entropy_backward,
                          margins, lambda a: a)
    theirs, _ = losses(torchgpt.layers.cross_entropy, torchgpt.layers.cross_entropy_backward,
                       margins, torch.from_numpy)
    name = "gradient" if width < 500 else "gradient of the right logit"
    return chart(width, {"NumPy": (margins, ours, "np"), "PyTorch": (margins[::2], theirs[::2],
                                                                     "pt"),
                         name: (margins, slopes, "ink")},
                 "right logit less the others", "loss in nats",
                 notes=[(0, np.log(4) + 0.5, f"ln 4 = {np.log(4):.2f}", "start")])
