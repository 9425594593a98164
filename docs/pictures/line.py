"""The line drawn: trying at random, four points and their errors, each step, the loss as a
landscape, and four rates."""

from functools import lru_cache

import numpy as np
from npgpt.foundations import fit_line, line
from npgpt.runs.lessons.line import START, learn_line, noisy_points
from svg import Svg, chart, printed

X = np.array([-1.0, 0.0, 1.0, 2.0])
TARGETS = np.array([-1.2, 2.4, 4.6, 8.2])
WEIGHT, BIAS = np.array(4.5), np.array(0.4)
POINTS = [f"point {i}" for i in range(1, 5)]
RATES = {"0.02": 0.02, "0.2": 0.2, "0.6": 0.6, "0.8": 0.8}


def worked():
    """Four points and the first guess; the lesson's hundred points and ten steps."""
    lesson, tried = learn_line(fit_line), random_tries()
    path = lesson["path"]
    steps = fit_line(X, TARGETS, 4.5, 0.4, 0.2, 3)
    names = {"points": POINTS, "path": np.array(
                 [[at["weight"], at["bias"], at["loss"]] for at in path]),
             "step_names": [str(at["step"]) for at in path],
             "columns": ["weight", "bias", "loss"], "best": lesson["best"], "tried": tried,
             "after": steps[1][2],
             "measured": measured_slopes(), "data": np.stack([X, TARGETS]),
             "data_names": ["x", "y"], "largest": largest_rate(), "count": len(noisy_points()[0])}
    few = np.array([[float(v) for v in at] for at in steps])
    return {"line": {"args": {"x": X, "weight": WEIGHT, "bias": BIAS, "targets": TARGETS},
                     "d_y": 1.0, "names": names},
            "fit_line": {"args": {"x": X, "targets": TARGETS, "weight": 4.5, "bias": 0.4,
                                  "rate": 0.2, "steps": 3},
                         "names": {**names, "few": few, "few_names": ["0", "1", "2", "3"]}}}


def measured_slopes(h=1e-4):
    """The loss's slope by weight and by bias, from two lines on either side of the guess."""
    def loss(weight, bias):
        return float(line(X, weight, bias, TARGETS)[0])

    return {"weight": (loss(4.5 + h, 0.4) - loss(4.5 - h, 0.4)) / (2 * h),
            "bias": (loss(4.5, 0.4 + h) - loss(4.5, 0.4 - h)) / (2 * h)}


def curvatures():
    """Of the loss over (weight, bias), for the lesson's points: small and large, and the
    directions."""
    x, _ = noisy_points()
    rows = np.stack([x, np.ones_like(x)], axis=1)
    return np.linalg.eigh(2 * rows.T @ rows / len(x))


def largest_rate():
    return 2 / curvatures()[0].max()


@lru_cache(maxsize=1)
def random_tries(count=100_000):
    """The best loss of 1, 2, … lines drawn at random from weights and biases of −10 to 10,
    as the mean over ten attempts."""
    x, y = noisy_points()
    draw = np.random.default_rng(0)
    one, two = np.array([(x * x).mean(), x.mean()]), np.array([(x * y).mean(), y.mean()])
    best = []
    for _ in range(10):
        w, b = draw.uniform(-10, 10, (2, count))
        loss = (w * w * one[0] + 2 * w * b * one[1] + b * b - 2 * w * two[0] - 2 * b * two[1]
                + (y * y).mean())
        best.append(np.minimum.accumulate(loss))
    return np.mean(best, axis=0)


def problem(width):
    lesson, tried = learn_line(fit_line), random_tries()
    best = lesson["best"]["loss"]
    counts = np.unique(np.round(np.geomspace(1, len(tried), 60)).astype(int))
    path = [at["loss"] - best for at in lesson["path"]]
    return chart(width, {"tried at random": (counts, tried[counts - 1] - best, "ink"),
                         "step by step": (range(1, len(path) + 1), path, "att")},
                 "lines looked at", "loss above the best line's", x_log=True, y_log=True,
                 x_ticks=None)


class Frame:
    """A panel of a picture: from the points' coordinates to the picture's."""

    def __init__(self, image, left, top, width, height, xs, ys):
        self.image, self.left, self.top, self.width, self.height = image, left, top, width, height
        self.xs, self.ys = xs, ys

    def at(self, x, y):
        (x0, x1), (y0, y1) = self.xs, self.ys
        return (self.left + (x - x0) / (x1 - x0) * self.width,
                self.top + (y1 - y) / (y1 - y0) * self.height)

    def axes(self):
        zero = max(self.xs[0], min(0, self.xs[1]))
        self.image.line(*self.at(zero, self.ys[0]), *self.at(zero, self.ys[1]), "grid")
        self.image.line(*self.at(self.xs[0], 0), *self.at(self.xs[1], 0), "grid")

    def straight(self, weight, bias, kind):
        """The line, cut off at the panel's edge."""
        ends = []
        for x in np.linspace(*self.xs, 400):
            if self.ys[0] <= weight * x + bias <= self.ys[1]:
                ends.append(x)
        for_ends = [self.at(x, weight * x + bias) for x in (ends[0], ends[-1])]
        self.image.polyline(for_ends, kind)


def picture(width):
    """Four points, the first guess and how far off it is at each."""
    phone = width < 500
    image = Svg(width, 330)
    frame = Frame(image, 44, 12, width - (64 if phone else 170), 280, (-1.5, 2.6), (-5.2, 10.5))
    frame.axes()
    predicted = float(WEIGHT) * X + float(BIAS)
    for x, y, p in zip(X, TARGETS, predicted):
        image.line(*frame.at(x, y), *frame.at(x, p), "ln-dn" if p < y else "ln-up")
    frame.straight(4.5, 0.4, "ln-att")
    for i, (x, y, p) in enumerate(zip(X, TARGETS, predicted)):
        image.dot(*frame.at(x, y))
        px, py = frame.at(x, (y + p) / 2)
        image.text(px - 8 if p < y else px + 8, py + 4, printed(p - y), "num",
                   "end" if p < y else "start")
        px, py = frame.at(x, y)
        image.text(px - 9 if p < y else px + 9, py - 7 if p < y else py + 18,
                   str(i + 1) if phone else POINTS[i], "nt", "end" if p < y else "start")
    px, py = frame.at(2.12, 4.5 * 2.12 + 0.4)
    image.text(px + 8, py + 2, "guess" if phone else "4.5·x + 0.4", "lab")
    for x in (-1, 0, 1, 2):
        image.text(frame.at(x, 0)[0], 310, printed(x), "nt", "middle")
    image.text(frame.at(2.6, 0)[0], 326, "x", "nt", "end")
    for y in (-4, 4, 8):
        image.text(38, frame.at(0, y)[1] + 4, printed(y), "nt", "end")
    return image


def steps(width):
    """The guess and each of ten steps, beside the points."""
    phone = width < 500
    columns = 2 if phone else 3
    found, (x, y) = learn_line(fit_line), noisy_points()
    path = found["path"]
    rows = -(-len(path) // columns)
    step_x, step_y = width / columns, 160
    image = Svg(width, rows * step_y)
    before = None
    for i, at in enumerate(path):
        left, top = (i % columns) * step_x, (i // columns) * step_y
        frame = Frame(image, left + 4, top + 24, step_x - 22, step_y - 38, (-2.1, 2.1), (-9, 10.5))
        frame.axes()
        for point in zip(x, y):
            image.dot(*frame.at(*point), 1.6, "dim-o")
        if before:
            frame.straight(before["weight"], before["bias"], "ln-dim")
        frame.straight(at["weight"], at["bias"], "ln-att")
        words = "guess" if i == 0 else f"step {i}"
        image.text(left + 4, top + 16, words, "lab")
        image.text(left + step_x - 20, top + 118,
                   f"{at['weight']:.2f}·x + {at['bias']:.2f}", "num", "end")
        before = at
    return image


def surface(width):
    """Lines of equal loss over weight and bias, and the path downhill."""
    phone = width < 500
    found = learn_line(fit_line)
    best, path = found["best"], found["path"]
    image = Svg(width, 330 if phone else 400)
    frame = Frame(image, 40, 12, width - 52, image.height - 56, (1.3, 4.9), (0.0, 3.6))
    sizes, directions = curvatures()
    angles = np.linspace(0, 2 * np.pi, 120)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    for above in (0.02, 0.15, 0.5, 1.1, 2, 3.2, 4.8, 6.8):
        ring = directions @ (circle * np.sqrt(2 * above / sizes)[:, None])
        points = [(best["weight"] + w, best["bias"] + b) for w, b in ring.T]
        runs, run = [], []
        for w, b in points:
            if 1.3 <= w <= 4.9 and 0 <= b <= 3.6:
                run.append(frame.at(w, b))
            elif run:
                runs, run = [*runs, run], []
        for each in [*runs, run]:
            if len(each) > 1:
                image.polyline(each, "ln-dim")
    image.polyline([frame.at(at["weight"], at["bias"]) for at in path], "ln-att")
    for i, at in enumerate(path):
        px, py = frame.at(at["weight"], at["bias"])
        image.dot(px, py, 3.6, "att-o")
        if i in (0, 1, 2, 3, 10):
            image.text(px + 9, py - 4, str(i), "num")
    for w in (2, 3, 4):
        image.text(frame.at(w, 0)[0], image.height - 26, printed(w), "nt", "middle")
    for b in (1, 2, 3):
        image.text(33, frame.at(0, b)[1] + 4, printed(b), "nt", "end")
    image.text(40 + (width - 52) / 2, image.height - 6, "weight", "nt", "middle")
    image.text(4, 12, "bias", "nt")
    return image


def plot(width):
    """The loss above the best line's, step by step, for four rates."""
    (x, y), best = noisy_points(), learn_line(fit_line)["best"]["loss"]
    series, style = {}, {"0.02": "dim", "0.2": "att", "0.6": "ink", "0.8": "up"}
    for name, rate in RATES.items():
        path = fit_line(x, y, *START, rate, 12)
        series[f"rate {name}" if width > 500 else name] = (
            range(len(path)), [max(float(at[2]) - best, 1e-12) for at in path], style[name])
    return chart(width, series, "step", "loss above the best line's", y_log=True,
                 y_range=(1e-8, 1e7))
