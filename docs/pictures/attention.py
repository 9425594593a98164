"""Attention drawn on one sentence: every intermediate, forward and backward."""

import numpy as np
from npgpt.layers import attention, attention_backward, causal_mask, softmax
from svg import Svg, chart, printed

WORDS = ["the", "cat", "slept", "for", "it", "purred"]
# three features for each word: thing, doing, helper
Q = np.array([[1.0, 0.0, 0.2], [0.3, 0.2, 1.4], [1.8, 0.4, 0.3],
              [0.4, 1.8, 0.2], [2.2, 0.3, 0.2], [1.6, 0.6, 0.4]])
K = np.array([[0.1, 0.0, 2.0], [2.5, 0.2, 0.0], [0.2, 2.2, 0.1],
              [0.0, 0.3, 1.8], [1.0, 0.0, 0.8], [0.3, 2.0, 0.0]])
V = np.array([[0.0, 0.1, 0.9], [1.0, 0.2, 0.0], [0.1, 1.0, 0.1],
              [0.0, 0.2, 0.8], [0.6, 0.0, 0.4], [0.2, 0.9, 0.0]])
D_Y = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, -0.2, 0.0],
                [0.0, 0.0, 0.0], [1.0, 0.0, -0.5], [0.0, 0.0, 0.0]])


def run():
    """Every value on the way, for one batch and one head."""
    q, k, v, d_y = (a[None, None] for a in (Q, K, V, D_Y))
    y, saved = attention(q, k, v, causal=True)
    d_q, d_k, d_v = attention_backward(d_y, saved)
    scores, probs = Q @ K.T / np.sqrt(3), saved[3][0, 0]
    d_probs = D_Y @ V.T
    mean_grad = (probs * d_probs).sum(axis=-1, keepdims=True)
    return {"scores": scores, "probs": probs, "y": y[0, 0],
            "hidden": ~causal_mask(6, 6, q), "d_probs": d_probs, "mean_grad": mean_grad,
            "d_scores": probs * (d_probs - mean_grad), "d_q": d_q[0, 0], "d_k": d_k[0, 0],
            "d_v": d_v[0, 0]}


def picture(width):
    """Where `slept` and `it` look: arcs as wide as the probability."""
    probs = run()["probs"]
    gap = (width - 52) / 5
    xs = [26 + i * gap for i in range(6)]
    above, below = 45 + 0.84 * gap, 116 + 0.84 * gap   # where arcs end
    end = below + 40 + 0.42 * gap
    image = Svg(width, round(end) + 10)
    for row, kind, base, side in ((4, "np", above, -1), (2, "pt", below, 1)):
        for i in range(row):
            prob = probs[row, i]
            middle, lift = (xs[i] + xs[row]) / 2, base + side * (30 + (row - i) * gap * 0.42)
            image.add(f'<path d="M{xs[row]:.1f} {base:.1f} Q{middle:.1f} {lift:.1f} {xs[i]:.1f} '
                      f'{base:.1f}" fill="none" stroke="var(--{kind})" '
                      f'stroke-width="{max(0.6, 13 * prob):.1f}" stroke-opacity=".55"/>')
        image.dot(xs[row], base, 3 + 6 * probs[row, row], f"{kind}-o")
        for i in range(row + 1):
            image.text(xs[i], base + (22 if side < 0 else -12), printed(probs[row, i], 2),
                       "num", "middle")
    for x, word in zip(xs, WORDS):
        image.text(x, (above + below) / 2 + 5, word, "tok", "middle")
    image.text(0, 14, "it", "nm").text(24, 14, "looks back, most of all at cat", "lab")
    image.text(0, end, "slept", "nm").text(46, end, "asks who slept", "lab")
    return image


def scores(width):
    values = run()
    phone = width < 500
    image = Svg(width, 520 if phone else 232)
    cell = (34, 26) if phone else (40, 26)
    features = ["thing", "doing", "helper"]
    image.matrix(52, 48, Q, cell, 1, WORDS, features, name="q")
    x = 232 if phone else 236
    image.matrix(x, 48, K, cell, 1, () if phone else WORDS, features, name="k")
    if phone:
        image.matrix(52, 286, values["scores"], (50, 26), 1, WORDS, WORDS, name="scores")
    else:
        image.matrix(420, 48, values["scores"], (36, 26), 1, WORDS, WORDS, name="scores")
    return image


def probabilities(width):
    values = run()
    phone = width < 500
    image = Svg(width, 470 if phone else 232)
    cell = (50, 26) if phone else (42, 26)
    masked = np.where(values["hidden"], -np.inf, values["scores"])
    image.matrix(52, 48, masked, cell, 1, WORDS, WORDS, name="scores", note="after the mask")
    x, y = (52, 284) if phone else (372, 48)
    image.matrix(x, y, values["probs"], cell, 2, WORDS, WORDS, top=1, name="probs",
                 hidden=values["hidden"])
    return image


def mixing(width):
    values = run()
    phone = width < 500
    image = Svg(width, 500 if phone else 232)
    cell = (36, 26)
    image.matrix(52, 48, values["probs"], cell, 2, WORDS, WORDS, top=1, name="probs",
                 hidden=values["hidden"])
    features = ["animal", "calm", "filler"]
    cell = (44, 26)
    x, y = (52, 290) if phone else (326, 48)
    image.matrix(x, y, V, cell, 1, WORDS, features, name="v")
    x += 156 if phone else 182
    image.matrix(x, y, values["y"], cell if not phone else (42, 26), 2, () if phone else WORDS,
                 features, name="y")
    return image


def backward(width):
    """The same sentence, walked back: d_y, d_probs, mean_grad, d_scores."""
    values = run()
    phone = width < 500
    image = Svg(width, 960 if phone else 236)
    small, square = (46, 26), (50, 26)
    if phone:
        image.matrix(52, 48, D_Y, (50, 26), 1, WORDS, ["animal", "calm", "filler"], name="d_y")
        image.matrix(250, 48, values["mean_grad"], (60, 26), 2, name="mean_grad")
        image.matrix(52, 288, values["d_probs"], square, 2, WORDS, WORDS, name="d_probs",
                     hidden=values["hidden"])
        image.matrix(52, 526, values["probs"], square, 2, WORDS, WORDS, top=1, name="probs",
                     hidden=values["hidden"])
        image.matrix(52, 764, values["d_scores"], square, 2, WORDS, WORDS, name="d_scores",
                     hidden=values["hidden"])
        return image
    image.matrix(56, 52, D_Y, small, 1, WORDS, ["animal", "calm", "filler"], name="d_y")
    image.matrix(276, 52, values["d_probs"], (46, 26), 2, WORDS, WORDS, name="d_probs",
                 hidden=values["hidden"])
    image.matrix(600, 52, values["mean_grad"], (56, 26), 2, name="mean_grad")
    image.matrix(716, 52, values["probs"], (46, 26), 2, WORDS, WORDS, top=1, name="probs",
                 hidden=values["hidden"])
    image.matrix(1040, 52, values["d_scores"], (46, 26), 2, WORDS, WORDS, name="d_scores",
                 hidden=values["hidden"])
    return image


def plot(width):
    """Why 1/√D: the largest probability of a row, with and without the scale."""
    draw = np.random.default_rng(0).normal
    sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    plain, scaled = [], []
    for size in sizes:
        raw = (draw(size=(400, 1, size)) @ draw(size=(400, size, 16)))[:, 0]
        plain.append(softmax(raw.copy())[0].max(axis=-1).mean())
        scaled.append(softmax(raw / np.sqrt(size))[0].max(axis=-1).mean())
    series = {"without the scale": (sizes, plain, "ink"), "with 1/√D": (sizes, scaled, "np")}
    return chart(width, series, "head size D", "largest of 16 probabilities", x_log=True,
                 y_range=(0, 1))
