"""Attention on one sentence: every intermediate, forward and backward; and what it is for."""

from functools import lru_cache

import numpy as np
from npgpt.layers import attention, attention_backward, causal_mask, softmax, softmax_backward
from svg import Svg, chart, gains_and_losses, printed, signed

WORDS = ["Rex", "chased", "Tom", "and", "caught", "him"]
Q_COLUMNS = ["name", "acts", "acted on", "verb"]  # of q and k
V_COLUMNS = ["dog", "cat", "event", "link"]       # of v and y
Q = np.array([[0.0, 0.0, 0.0, 2.0],     # Rex: what did I do?
              [1.0, 2.0, 0.0, 0.0],     # chased: who acts?
              [0.0, 0.0, 0.0, 3.0],     # Tom: what was done to me?
              [0.0, 0.0, 0.0, 2.0],     # and: which verb do I continue?
              [1.0, 2.0, 0.0, 0.0],     # caught: who acts?
              [2.0, -1.0, 2.0, 0.0]])   # him: a name, acted on, not the actor
K = np.array([[2.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0], [2.0, 0.0, 2.0, 0.0],
              [0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 2.0], [0.5, 0.0, 2.0, 0.0]])
V = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0],
              [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.0, 0.0]])
D_Y = np.zeros((6, 4))
D_Y[4] = [-0.5, 0.3, 0.0, 0.0]
D_Y[5] = [0.6, -0.8, 0.4, 0.0]
SWAP = [2, 1, 0, 3, 4, 5]  # Tom chased Rex: the values go with the names, the keys with the roles


def worked():
    """The sentence, for the text of the page."""
    four = dict(q=Q[None, None], k=K[None, None], v=V[None, None])
    swapped, _ = attention(**{**four, "v": V[SWAP][None, None]}, causal=True)
    probs = run()["probs"]
    step = softmax(run()["scores"][5] - run()["d_scores"][5])[0]
    unscaled = softmax(Q[5] @ K.T)[0]
    leak = attention(**four, mask=np.tri(6, 6, 1, dtype=bool))[1][3][0, 0]
    names = {"words": WORDS, "qc": Q_COLUMNS, "vc": V_COLUMNS, "him": 5, "tom": 2, "caught": 4,
             "raw": Q @ K.T, "scaled": Q @ K.T / 2, "bag": V.mean(0),
             "bag_swapped": V[SWAP].mean(0),
             "swapped": swapped[0, 0], "after": step, "loss": lambda p: float(p @ V @ D_Y[5]),
             "p": probs[5], "moved": moved(),
             "spread": lambda size: measured()["no scale", size][2],
             "unscaled": unscaled, "future": np.triu(leak, 1).sum(-1)[:5].mean()}
    return {"attention": {"args": {**four, "causal": True}, "d_y": D_Y[None, None],
                          "names": names}}


def moved(way=0.001):
    """The slope of each share of `him` by the score of Tom, measured."""
    above, below = (softmax(run()["scores"][5] + nudge * way * np.eye(6)[2])[0]
                    for nudge in (1, -1))
    return (above - below) / (2 * way)


def run():
    """Every value on the way, for one batch and one head."""
    q, k, v, d_y = (a[None, None] for a in (Q, K, V, D_Y))
    y, saved = attention(q, k, v, causal=True)
    d_q, d_k, d_v = attention_backward(d_y, saved)
    scores, probs = Q @ K.T / 2, saved[3][0, 0]
    d_probs = D_Y @ V.T
    mean_grad = (probs * d_probs).sum(axis=-1, keepdims=True)
    return {"scores": scores, "probs": probs, "y": y[0, 0],
            "hidden": ~causal_mask(6, 6, q), "d_probs": d_probs, "mean_grad": mean_grad,
            "d_scores": probs * (d_probs - mean_grad), "d_q": d_q[0, 0], "d_k": d_k[0, 0],
            "d_v": d_v[0, 0]}


def picture(width):
    """What `him` and `caught` attend to: arcs as wide as the probability."""
    probs = run()["probs"]
    gap = (width - 52) / 5
    xs = [26 + i * gap for i in range(6)]
    above, below = 45 + 0.84 * gap, 116 + 0.84 * gap   # where arcs end
    end = below + 40 + 0.42 * gap
    image = Svg(width, round(end) + 10)
    for row, base, side in ((5, above, -1), (4, below, 1)):
        for i in range(row):
            prob = probs[row, i]
            middle, lift = (xs[i] + xs[row]) / 2, base + side * (30 + (row - i) * gap * 0.36)
            image.add(f'<path d="M{xs[row]:.1f} {base:.1f} Q{middle:.1f} {lift:.1f} {xs[i]:.1f} '
                      f'{base:.1f}" fill="none" stroke="var(--att)" '
                      f'stroke-width="{max(0.6, 13 * prob):.1f}" stroke-opacity=".6"/>')
        image.dot(xs[row], base, 3 + 6 * probs[row, row], "att-o")
        for i in range(6):
            image.text(xs[i], base + (22 if side < 0 else -12),
                       printed(probs[row, i], 2) if i <= row else "hidden", "num", "middle")
    for i, (x, word) in enumerate(zip(xs, WORDS)):
        image.text(x, (above + below) / 2 + 5, word, "big" if i > 3 else "tok", "middle")
    image.text(0, 14, "above: where him looks", "lab")
    image.text(width, end, "below: where caught looks", "lab", "end")
    return image


LENGTHS = [2, 4, 8, 16, 32, 64, 128, 256]


@lru_cache(maxsize=1)
def memory(seed=0, size=64, vocabulary=100):
    """How often the word at a random place is read back: from one vector into which all
    words were added, each marked with its place; and by attention, key and value apart."""
    draw = np.random.default_rng(seed)
    table = draw.normal(size=(vocabulary, size)) / np.sqrt(size)
    fixed, looked_up = [], []
    for length in LENGTHS:
        positions = draw.choice([-1.0, 1.0], size=(length, size))     # a mark for each place
        keys = draw.normal(size=(length, size))
        right = [0, 0]
        rounds = max(8, 2000 // length)
        for _ in range(rounds):
            words = draw.integers(0, vocabulary, length)
            total = (table[words] * positions).sum(0)
            found = (positions * total @ table.T).argmax(-1)          # every place is asked
            right[0] += (found == words).mean()
            y, _ = attention(10 * keys[None, None], keys[None, None], table[words][None, None])
            right[1] += ((y[0, 0] @ table.T).argmax(-1) == words).mean()
        fixed.append(100 * right[0] / rounds)
        looked_up.append(100 * right[1] / rounds)
    return fixed, looked_up


def problem(width):
    fixed, looked_up = memory()
    return chart(width, {"attention": (LENGTHS, looked_up, "att"),
                         "one vector of 64 numbers": (LENGTHS, fixed, "ink")},
                 "words read", "right answers in %", x_log=True, x_ticks=LENGTHS, y_range=(0, 105))


def bars(width):
    """The row of `him`, before and after the score of Tom is raised by a half."""
    before = run()["probs"][5]
    scores = run()["scores"][5]
    after = softmax(scores + 0.5 * (np.arange(6) == 2))[0]
    return gains_and_losses(width, WORDS, before, after, 130)


def gradients(width):
    """d_probs of each word and their mean; below, what is left times the share."""
    values = run()
    row, mean, scores = values["d_probs"][5], values["mean_grad"][5, 0], values["d_scores"][5]
    image = Svg(width, 300)
    left = 0 if width < 500 else 40
    step = (width - left) / 6

    def y(value):
        return 92 - 62 * value

    image.text(0, 14, "d_probs", "lab").text(0, 186, "d_scores", "lab")
    image.line(left, y(0), width, y(0), "axis").line(left, y(mean), width, y(mean), "level")
    image.text(width, y(mean) + 17, f"mean_grad {printed(mean, 2)}", "num", "end")
    for i, word in enumerate(WORDS):
        x = left + (i + 0.5) * step
        kind = "up" if row[i] > mean else "dn"
        image.line(x, y(row[i]), x, y(mean), f"gap {kind}")
        image.dot(x, y(row[i]), 5, f"{kind}-o")
        image.text(x, y(row[i]) + (-10 if row[i] > mean else 20), signed(row[i]), "num", "middle")
        size = 240 * scores[i]
        image.rect(x - 0.28 * step, 220 - max(size, 0), 0.56 * step, max(abs(size), 0.5),
                   f"{kind}-o", 2)
        image.text(x, 220 - max(size, 0) - 6 if size > 0 else 220 - size + 15,
                   signed(scores[i], 3), "num", "middle")
        image.text(x, 292, word, "tok", "middle")
    image.line(left, 220, width, 220, "axis")
    return image


SIZES = [2, 4, 8, 16, 32, 64, 128, 256]


@lru_cache(maxsize=1)
def measured(seed=0, rows=4000, keys=16):
    """For each head size and scale: the mean largest probability of a row, and the median
    of the largest gradient in a row of d_scores, for random q, k and d_probs."""
    found = {}
    draw = np.random.default_rng(seed)
    for size in SIZES:
        q, k = draw.normal(size=(rows, 1, size)), draw.normal(size=(rows, keys, size))
        dot = (q * k).sum(-1)
        d_probs = draw.normal(size=(rows, keys))
        for words, scale in ("no scale", 1), ("1/√D", size**0.5), ("1/D", size):
            probs, saved = softmax(dot / scale)
            largest = np.abs(softmax_backward(d_probs, saved)).max(-1)
            found[words, size] = (probs.max(-1).mean(), np.median(largest), dot.std() / scale)
    return found


def plot(width):
    found = measured()
    styles = {"no scale": "ink", "1/√D": "att", "1/D": "dim"}
    return chart(width, {words: (SIZES, [found[words, size][0] for size in SIZES], style)
                         for words, style in styles.items()},
                 "head size D", "largest of 16 probabilities", x_log=True, x_ticks=SIZES,
                 y_range=(0, 1))


def plot_gradients(width):
    found = measured()
    styles = {"no scale": "ink", "1/√D": "att"}
    return chart(width, {words: (SIZES, [found[words, size][1] for size in SIZES], style)
                         for words, style in styles.items()},
                 "head size D", "largest gradient in a row of d_scores (median)", x_log=True,
                 x_ticks=SIZES, y_range=(0, 0.25))
