"""Cross-entropy drawn: why not squared error, one position from logits to its gradient, surprise,
and the loss by how far the right logit is ahead."""

from functools import lru_cache

import numpy as np
from npgpt.layers import cross_entropy, cross_entropy_backward, softmax, softmax_backward
from svg import Svg, chart

WORDS = ["chair", "floor", "bed", "moon", "sofa"]
TEXTS = ["cat", "dog", "rocket", "padding"]
LOGITS = np.array([[2.0, 1, 3, -1, 2.5],     # The cat sleeps on the … sofa
                   [0.0, 2, 1, -2, 0.5],     # The dog lies on the … floor
                   [-1.0, 1, 0, 3, -1],      # The rocket lands on the … moon
                   [0.5, 0.5, 1, 0, 0]])     # padding: no target
TARGETS = np.array([4, 1, 3, -100])
RIGHT = 4


def worked():
    """Four positions, three of which count, for the text of the page."""
    loss, saved = cross_entropy(LOGITS, TARGETS)
    d_logits = cross_entropy_backward(1.0, saved)
    after = cross_entropy(LOGITS - d_logits, TARGETS)[0]
    above, below = ([cross_entropy(LOGITS[:1] + way * one, TARGETS[:1])[0] for one in np.eye(5)]
                    for way in (1e-3, -1e-3))
    measured = (np.array(above) - below) / 2e-3
    d_probs = np.zeros(5)
    d_probs[RIGHT] = -1 / saved[0][0, RIGHT]
    return {"cross_entropy": {
        "args": {"logits": LOGITS, "targets": TARGETS}, "d_y": 1.0,
        "names": {"words": WORDS, "texts": TEXTS, "cat": 0, "dog": 1, "man": 2, "bed": 2,
                  "sofa": 4, "floor": 1, "moon": 3, "after": after, "trained": trained(),
                  "d_rows": np.stack([measured, saved[0][0] - np.eye(5)[RIGHT]]),
                  "slope_names": ["measured", "probs − one_hot"],
                  "through_softmax": softmax_backward(d_probs, softmax(LOGITS[0])[1])}}}


@lru_cache(maxsize=1)
def trained(steps=60, rate=1.0):
    """The right one's probability after each step downhill from sure and wrong, for two losses."""
    found = {}
    for name in "cross-entropy", "squared error":
        logits, fractions = np.array([[8.0, 0, 0, 0, 0]]), []
        for _ in range(steps + 1):
            probs, saved = softmax(logits)
            fractions.append(100 * probs[0, RIGHT])
            if name == "cross-entropy":
                d_logits = cross_entropy_backward(1.0, cross_entropy(logits, np.array([RIGHT]))[1])
            else:
                d_logits = softmax_backward(2 * (probs - np.eye(5)[RIGHT]), saved)
            logits = logits - rate * d_logits
        found[name] = fractions
    return found


def problem(width):
    found = trained()
    steps = list(range(len(found["cross-entropy"])))
    return chart(width, {"cross-entropy": (steps, found["cross-entropy"], "att"),
                         "squared error": (steps, found["squared error"], "ink")},
                 "step of training", "probability of the right word in %", y_range=(0, 105))


def picture(width):
    loss, saved = cross_entropy(LOGITS[:1], TARGETS[:1])
    probs = saved[0][0]
    d_logits = cross_entropy_backward(1.0, saved)[0]
    phone = width < 500
    left = 72 if phone else 150
    step = (width - left - 4) / 5
    image = Svg(width, 428)
    image.rect(left + RIGHT * step + 2, 0, step - 4, 424, "ribbon", 6)
    for i, word in enumerate(WORDS):
        image.text(left + (i + 0.5) * step, 18, word, "tok", "middle")
    rows = [("logits", LOGITS[0], 104, "scores"), ("probs", probs, 230, "sum is 1"),
            ("d_logits", d_logits, 342, "sum is 0")]
    for name, values, y, note in rows:
        image.name(0, y - 8, name, note)
        tints = [("up" if v > 0 else "dn") for v in values] if name == "d_logits" else None
        image.bars(left, y, values, step, 52, kind="att", tints=tints)
    image.step("cross_entropy-3", 0, 244, width, 34)
    image.text(left, 264, f"loss = −ln {probs[RIGHT]:.2f} = {loss:.2f}", "num")
    image.end()
    return image


def surprise(width):
    """Minus the logarithm, with the three right words of the example."""
    probs = cross_entropy(LOGITS[:3], TARGETS[:3])[1][0][range(3), TARGETS[:3]]
    p = np.linspace(0.01, 1, 200)
    notes = [(q, -np.log(q) + 0.18, f"{WORDS[t]} {-np.log(q):.2f}", "start")
             for q, t in zip(probs, TARGETS)]
    notes += [(0.2, np.log(5) + 0.25, f"1 of 5: {np.log(5):.2f}", "start")]
    image = chart(width, {"−ln p": (p, -np.log(p), "att")},
                  "probability p of the right word", "surprise in nats", y_range=(0, 4.7),
                  notes=notes)
    left, high, low = (44 if width < 500 else 56), 44, image.height - 44
    for q in [*probs, 0.2]:
        x = left + (q - 0.01) / 0.99 * (width - 10 - left)
        image.dot(x, low + (-np.log(q)) / 4.7 * (high - low), 4.5)
    return image


def plot(width):
    """Loss, and the right logit's gradient, with the right logit ahead by each margin."""
    margins, found = np.arange(-8, 8.1, 0.5), []
    for margin in margins:
        logits = np.zeros((1, 4))
        logits[0, 1] = margin
        loss, saved = cross_entropy(logits, np.array([1]))
        found.append((float(loss), float(cross_entropy_backward(1.0, saved)[0, 1])))
    losses, slopes = np.array(found).T
    name = "gradient" if width < 500 else "gradient of the right logit"
    return chart(width, {"loss": (margins, losses, "att"), name: (margins, slopes, "dn")},
                 "right logit less the others", "loss in nats",
                 notes=[(0.3, np.log(4) + 0.4, f"ln 4 = {np.log(4):.2f}", "start")])
