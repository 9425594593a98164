"""RoPE drawn: a head with learned positions and one with rotations beyond the text they were
trained on, hands of clocks, how a gradient is rotated back, and scores against distance."""

from functools import lru_cache
from math import cos, pi, sin

import numpy as np
from npgpt.layers import rope, rope_angles, rope_backward, softmax
from npgpt.training import adamw_init, adamw_step
from svg import Svg, chart, printed

WORDS = ["the", "old", "dog", "barked"]
COLUMNS = ["0: pair 0", "1: pair 1", "2: pair 0", "3: pair 1"]
THETA, POSITIONS = 100.0, np.arange(4)[None]
QUERY = np.array([2.0, 1.0, 0.0, 0.0])     # pair 0 is (2, 0), pair 1 is (1, 0)
KEY = np.array([1.0, 1.0, 2.0, 0.0])       # pair 0 is (1, 2), pair 1 is (1, 0)
D_Y = np.zeros((1, 1, 4, 4))
D_Y[0, 0, 3] = [0.6, 0.1, -0.8, 0.0]
COS, SIN = rope_angles(POSITIONS, 4, THETA, QUERY)


def worked():
    """Four words whose queries and keys are all alike: only where they stand differs."""
    x = np.tile(QUERY, (1, 1, 4, 1))
    keys = rope(np.tile(KEY, (1, 1, 4, 1)), COS, SIN)[0][0, 0]
    scores = rope(x, COS, SIN)[0][0, 0] @ keys.T
    later = [rope(x, *rope_angles(POSITIONS + by, 4, THETA, QUERY))[0][0, 0] for by in (1, 100)]
    later_keys = [rope(np.tile(KEY, (1, 1, 4, 1)),
                       *rope_angles(POSITIONS + by, 4, THETA, QUERY))[0][0, 0] for by in (1, 100)]
    moved = max(abs(q @ k.T - scores).max() for q, k in zip(later, later_keys))
    one_off = rope(x, COS, SIN)[0][0, 0] @ later_keys[0].T
    found = trained()
    names = {"words": WORDS, "cc": COLUMNS, "dog": 2, "barked": 3, "keys": keys,
             "query": QUERY[None], "key": KEY[None], "scores": scores, "moved": moved,
             "one_off": one_off,
             "inside": {name: 100 * fractions[:TRAINED - BACK].mean()
                        for name, (fractions, _) in found.items()},
             "outside": {name: 100 * fractions[TRAINED - BACK:].mean()
                         for name, (fractions, _) in found.items()},
             "waves": np.array([[wave(0, 64, 1e4), wave(31, 64, 1e4), wave(31, 64, 5e5)]])}
    return {"rope": {"args": {"x": x, "cos": COS, "sin": SIN}, "d_y": D_Y, "names": names},
            "rope_angles": {"args": {"positions": POSITIONS, "D": 4, "theta": THETA,
                                     "like": QUERY},
                            "names": {"words": WORDS, "pp": ["pair 0", "pair 1"], "barked": 3}},
            "rope_interleaved": {"args": {"x": x[..., [0, 2, 1, 3]], "cos": COS, "sin": SIN},
                                 "d_y": D_Y[..., [0, 2, 1, 3]],
                                 "names": {"words": WORDS, "barked": 3,
                                           "cc": ["0: pair 0", "1: pair 0", "2: pair 1",
                                                  "3: pair 1"]}}}


def wave(pair, size, theta):
    """After how many positions a pair has gone round once."""
    return 2 * pi * theta ** (2 * pair / size)


TRAINED, LENGTH, SIZE, BACK = 32, 64, 16, 3


@lru_cache(maxsize=1)
def trained(steps=250, rate=0.05, seed=0):
    """{head: (share of the word three back, for the words 3 … 63; its scores by distance)}:
    trained on the first 32 positions to attend to the word three places back."""
    draw = np.random.default_rng(seed)
    learned = {"positions": draw.normal(size=(LENGTH, SIZE)) / 2,
               "q": draw.normal(size=(SIZE, SIZE)) / 4, "k": draw.normal(size=(SIZE, SIZE)) / 4}
    rotated = {"q": draw.normal(size=(1, SIZE)), "k": draw.normal(size=(1, SIZE))}
    angles = rope_angles(np.arange(LENGTH)[None], SIZE, 100.0, draw.normal(size=1))

    def queries_and_keys(params, count):
        if "positions" in params:
            rows = params["positions"][:count]
            return rows @ params["q"], rows @ params["k"]
        cut = [a[:, :, :count] for a in angles]
        return [rope(np.tile(params[name], (1, 1, count, 1)), *cut)[0][0, 0] for name in "qk"]

    def grads_of(params, count, d_q, d_k):
        if "positions" in params:
            rows = params["positions"][:count]
            d_positions = np.zeros_like(params["positions"])
            d_positions[:count] = d_q @ params["q"].T + d_k @ params["k"].T
            return {"positions": d_positions, "q": rows.T @ d_q, "k": rows.T @ d_k}
        cut = [a[:, :, :count] for a in angles]
        return {name: rope_backward(d[None, None], cut)[0, 0].sum(0, keepdims=True)
                for name, d in (("q", d_q), ("k", d_k))}

    def fractions(params, count):
        q, k = queries_and_keys(params, count)
        scores = np.where(np.tri(count, dtype=bool), q @ k.T / SIZE**0.5, -np.inf)
        return q, k, scores, softmax(scores)[0]

    found = {}
    for name, params in (("learned rows", learned), ("RoPE", rotated)):
        state, rows = adamw_init(params), np.arange(BACK, TRAINED)
        for _ in range(steps):
            q, k, _, probs = fractions(params, TRAINED)
            d_scores = np.zeros_like(probs)
            d_scores[rows] = probs[rows] / len(rows)
            d_scores[rows, rows - BACK] -= 1 / len(rows)
            d_scores /= SIZE**0.5
            grads = grads_of(params, TRAINED, d_scores @ k, d_scores.T @ q)
            adamw_step(params, grads, state, rate, weight_decay=0)
        _, _, scores, probs = fractions(params, LENGTH)
        rows = np.arange(BACK, LENGTH)
        found[name] = probs[rows, rows - BACK], scores[LENGTH - 1][::-1]
    return found


def problem(width):
    found, rows = trained(), np.arange(BACK, LENGTH)
    return chart(width, {"RoPE": (rows, 100 * found["RoPE"][0], "att"),
                         "learned rows": (rows, 100 * found["learned rows"][0], "ink")},
                 "position of the word", "attention to the word three back, in %",
                 y_range=(0, 118), x_ticks=[3, 16, 32, 48, 63],
                 notes=[(31, 108, "trained up to here", "end")])


def distance(width):
    scores = trained()["RoPE"][1]
    return chart(width, {"score": (np.arange(LENGTH), scores, "att")},
                 "distance: how far back the word stands", "score", x_ticks=[0, 3, 16, 32, 48, 63])


def hand(image, x, y, radius, angle, kind="th"):
    image.arrow(x, y, x + radius * cos(angle), y - radius * sin(angle), kind)


def arc(image, x, y, radius, start, end, kind="ln-att"):
    turn = np.linspace(start, end, 24)
    image.polyline([(x + radius * cos(t), y - radius * sin(t)) for t in turn], kind)


def picture(width):
    """The two pairs of the example at four positions: hands that turn fast and slowly."""
    phone = width < 500
    left = 52 if phone else 92
    step = (width - left) / 4
    radius = min(0.42 * step, 46)
    image = Svg(width, 318 if not phone else 268)
    rows = [72 if phone else 84, 192 if phone else 220]
    for p, word in enumerate(WORDS):
        image.text(left + (p + 0.5) * step, 14, word, "tok", "middle")
    for i, y in enumerate(rows):
        image.text(0, y + 4, f"pair {i}", "lab")
        for p in range(4):
            x, angle = left + (p + 0.5) * step, p * THETA ** (-i / 2)
            image.add(f'<circle class="box" cx="{x:.1f}" cy="{y}" r="{radius:.1f}"/>')
            image.line(x, y, x + radius, y, "axis")
            if angle:
                arc(image, x, y, radius * 0.45, 0, angle)
            hand(image, x, y, radius * 0.94, angle)
            image.text(x, y + radius + 18, f"{printed(angle * 180 / pi, 0)}°", "num", "middle")
    return image


def back(width):
    """Left: pair 0 of `barked` is rotated forward. Right: its gradient is rotated back."""
    phone = width < 500
    image = Svg(width, 232 if phone else 258)
    angle = float(POSITIONS[0, 3])
    scale = 38 if phone else 48
    for k, (title, start, values, names) in enumerate((
            ("forward", (QUERY[0], QUERY[2]), angle, ("x", "y")),
            ("backward", (D_Y[0, 0, 3, 0], D_Y[0, 0, 3, 2]), -angle, ("d_y", "d_x")))):
        x, y = width * (0.27 + 0.5 * k), 128 if phone else 140
        size, at = 1.9 * scale, np.arctan2(start[1], start[0])
        image.line(x - 1.95 * scale, y, x + 1.95 * scale, y, "axis")
        image.line(x, y - 1.95 * scale, x, y + 1.95 * scale, "axis")
        image.text(x, 14, title, "lab", "middle")
        arc(image, x, y, 0.75 * scale, at, at + values)
        for name, turn in zip(names, (at, at + values)):
            hand(image, x, y, size, turn)
            anchor = "middle" if abs(cos(turn)) < 0.8 else "end" if cos(turn) > 0 else "start"
            image.text(x + (size + 4) * cos(turn),
                       y - (size + 4) * sin(turn) + (14 if sin(turn) < -0.1 else -6), name,
                       "tok", anchor)
        middle = at + values / 2
        image.text(x + 1.2 * scale * cos(middle), y - 1.1 * scale * sin(middle) + 4,
                   f"{printed(values * 180 / pi, 0)}°", "num", "middle")
    return image


def theorem(width):
    """A point as a steps along one axis and b along the other; then all of it rotated."""
    phone = width < 500
    image = Svg(width, 230 if phone else 262)
    scale, a, b = (62 if phone else 78), 1.5, 0.9
    for k, alpha in enumerate((0.0, 40 * pi / 180)):
        x, y = width * (0.1 + 0.5 * k) + (24 if k else 0), 200 if phone else 228
        across = cos(alpha), -sin(alpha)
        upward = -sin(alpha), -cos(alpha)

        def at(first, second, x=x, y=y, across=across, upward=upward):
            return (x + scale * (first * across[0] + second * upward[0]),
                    y + scale * (first * across[1] + second * upward[1]))

        image.line(x - 0.9 * scale * (k > 0), y, x + 1.9 * scale, y, "axis")
        image.line(x, y, x, y - 2.1 * scale, "axis")
        image.line(*at(0, 0), *at(a, 0), "ln-ink").line(*at(a, 0), *at(a, b), "ln-att")
        image.arrow(*at(0, 0), *at(1, 0)).arrow(*at(0, 0), *at(0, 1))
        image.dot(*at(a, b), 5, "att-o")
        for name, place, by in (("a", at(0.62 * a, 0), (-18, -2) if k else (4, 18)),
                                ("b", at(a, b / 2), (9, -4) if k else (9, 6))):
            image.text(place[0] + by[0], place[1] + by[1], name, "tok")
        image.text(at(a, b)[0], at(a, b)[1] - 11, "rotated" if k else "(a, b)", "lab", "middle")
        if k:
            arc(image, x, y, 0.55 * scale, 0, alpha, "ln-dim")
            image.text(x + 0.64 * scale, y - 0.14 * scale, "α", "tok")
    return image


def waves(width):
    """The part that one pair adds to a score, against the distance, for three pairs."""
    far = np.arange(0, 65)
    return chart(width, {f"pair {i}": (far, np.cos(far * 1e4 ** (-2 * i / 64)), style)
                         for i, style in ((0, "dim"), (8, "ink"), (16, "att"))},
                 "distance", "cos of the angle between query and key", y_range=(-1.1, 1.1),
                 x_ticks=[0, 16, 32, 48, 64])


def plot(width):
    """The mean over all pairs of what they add: a query with a key equal to it."""
    far = np.arange(0, 513)
    pairs = np.arange(32)
    means = {}
    for words, theta, style in (("θ = 10,000", 1e4, "att"), ("θ = 500,000", 5e5, "ink")):
        angles = far[:, None] * theta ** (-2 * pairs / 64)
        means[words] = far, np.cos(angles).mean(-1), style
    return chart(width, means, "distance", "score of a key that equals the query",
                 y_range=(0, 1.05), x_ticks=[0, 128, 256, 384, 512])


def layouts(width):
    """Which channels are a pair, in a head of eight."""
    phone = width < 500
    image = Svg(width, 246)
    step = (width - 8) / 8
    for y, title, order in ((46, "rope: i and i + D/2", [0, 1, 2, 3, 0, 1, 2, 3]),
                            (206, "rope_interleaved: 2i and 2i + 1", [0, 0, 1, 1, 2, 2, 3, 3])):
        image.text(0, y - 30 if y < 100 else y - 44, title, "lab")
        for pair in range(4):
            ends = [i for i, p in enumerate(order) if p == pair]
            a, b = (4 + (i + 0.5) * step for i in ends)
            lift = 10 + 0.16 * (b - a) if not phone else 10 + 0.2 * (b - a)
            image.add(f'<path d="M{a:.1f} {y + 30} Q{(a + b) / 2:.1f} {y + 30 + 2 * lift:.1f} '
                      f'{b:.1f} {y + 30}" fill="none" class="th"/>' if y < 100 else
                      f'<path d="M{a:.1f} {y} Q{(a + b) / 2:.1f} {y - 2 * lift:.1f} '
                      f'{b:.1f} {y}" fill="none" class="th"/>')
        for i, pair in enumerate(order):
            image.rect(4 + i * step, y, step - 4, 28, "cellbox att", 3,
                       f"--share:{0.25 + 0.25 * pair:.2f}")
            image.text(4 + (i + 0.5) * step - 2, y + 18, str(i), "num", "middle")
    return image
