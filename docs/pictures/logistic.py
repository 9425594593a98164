"""Logistic regression drawn: rules beside learning, the sigmoid with four messages on it, the
words that tell, what decay does, and calibration."""

from functools import lru_cache

import numpy as np
from npgpt.foundations import fit_logistic, logistic, logistic_backward, sigmoid
from npgpt.runs.lessons.spam import DECAY, learn_spam, safe_rate, split
from npgpt.text.bag_of_words import bag_of_words, vocabulary_of
from npgpt.text.corpora.spam import points, spam_messages
from svg import Svg, chart, printed

MESSAGES = ["prize", "minutes", "lunch", "parcel"]
WORDS = ["free", "click", "meeting"]
X = np.array([[1.0, 1, 0],        # Click here for your free prize!
              [0.0, 0, 1],        # The minutes of our meeting are here.
              [1.0, 0, 1],        # Are you free for lunch after the meeting?
              [0.0, 1, 0]])       # Your parcel is waiting, click the link.
LABELS = np.array([1.0, 0, 0, 1])
WEIGHT, BIAS, LAMBDA = np.array([1.5, -0.5, -1.0]), np.array(0.2), 0.1
Z = X @ WEIGHT + BIAS


def worked():
    """Four messages and three words, for the text of the page; and the lesson's filter."""
    found = lesson()
    loss, saved = logistic(X, WEIGHT, BIAS, LABELS, LAMBDA)
    _, grads = logistic_backward(1.0, saved)
    after = logistic(X, WEIGHT - grads["weight"], BIAS - grads["bias"], LABELS, LAMBDA)[0]
    ones = np.eye(3) * 1e-4
    measured = [float((logistic(X, WEIGHT + one, BIAS, LABELS, LAMBDA)[0]
                       - logistic(X, WEIGHT - one, BIAS, LABELS, LAMBDA)[0]) / 2e-4)
                for one in ones]
    cells = {name: np.array([[each["spam_found"], each["spam_missed"]],
                             [each["ham_called_spam"], each["ham_let_through"]]])
             for name, each in found["confusion"].items()}
    names = {
        "messages": MESSAGES, "w": WORDS, "prize": 0, "minutes": 1, "lunch": 2, "parcel": 3,
        "lam": LAMBDA, "probs": sigmoid(Z), "after": after, "measured": measured,
        "yes": LABELS.astype(int), "learned": np.array([[*WEIGHT, BIAS]]),
        "learned_names": [*WORDS, "bias"], "found": found, "cells": cells,
        "said": ["called spam", "let in"], "kinds": ["spam", "wanted"],
        "missed": missed_by_rules(), "worst": found["mistakes"], "free": separated()}
    return {"logistic": {"args": {"x": X, "weight": WEIGHT, "bias": BIAS, "labels": LABELS,
                                  "decay": LAMBDA}, "d_y": 1.0, "names": names},
            "sigmoid": {"args": {"z": Z}, "names": names}}


@lru_cache(maxsize=1)
def lesson():
    return learn_spam(spam_messages(), fit_logistic)


def missed_by_rules():
    """A spam message that meets no rule, and a wanted one that meets two."""
    train, held_out = split(spam_messages(), 1)
    spam = next(text for text, label in held_out if label == 1 and not points(text))
    wanted = next(text for text, label in held_out if label == 0 and len(points(text)) > 1)
    return {"spam": spam, "wanted": wanted, "rules": " and ".join(points(wanted))}


@lru_cache(maxsize=1)
def separated():
    """The size of the weights after so many steps on 60 messages that words separate, with
    decay and without."""
    train, _ = split(spam_messages(), 1)
    texts = [text for text, _ in train[:60]]
    labels = np.array([float(label) for _, label in train[:60]])
    x = bag_of_words(texts, vocabulary_of(texts))
    sizes = {}
    for decay in 0.0, DECAY:
        weight, bias, found = np.zeros(x.shape[1]), np.float64(0), []
        rate = safe_rate(x, decay)
        for step in range(3001):
            if step in STEPS_DRAWN:
                found.append(float(np.sqrt((weight * weight).sum())))
            _, grads = logistic_backward(1.0, logistic(x, weight, bias, labels, decay)[1])
            weight, bias = weight - rate * grads["weight"], bias - rate * grads["bias"]
        sizes[decay] = found
        if not decay:
            wrong = float((((x @ weight + bias) > 0) != labels).mean())
    return {"sizes": sizes, "wrong": wrong}


STEPS_DRAWN = (1, 3, 10, 30, 100, 300, 1000, 3000)


def problem(width):
    """Bars for the errors of rules and of learning, a dot for each split."""
    found = lesson()
    image = Svg(width, 300)
    left, base, tall = 44, 252, 190
    top = 36
    for tick in (0, 10, 20, 30):
        y = base - tick / top * tall
        image.line(left, y, width - 8, y, "grid")
        image.text(left - 8, y + 4, str(tick), "nt", "end")
    image.text(4, 14, "wrong of the held-out messages, %", "nt")
    step = (width - left - 8) / 2
    for i, (name, words, kind) in enumerate((("rules_error", "rules, by hand", "grey"),
                                            ("learned_error", "learned", "att"))):
        mean = 100 * found[name]["mean"]
        x = left + (i + 0.24) * step
        size = mean / top * tall
        image.rect(x, base - size, 0.52 * step, size, f"cellbox {kind}", 2, "--share:.8")
        for j, each in enumerate(found["splits"]):
            image.dot(x + (0.1 + 0.08 * j) * step, base - 100 * each[name] / top * tall, 3.4)
        image.text(x + 0.26 * step, base - 100 * found[name]["most"] / top * tall - 12,
                   f"{mean:.1f} %", "num", "middle")
        image.text(x + 0.26 * step, base + 22, words, "tok", "middle")
    image.line(left, base, width - 8, base, "axis")
    return image


def picture(width):
    """The sigmoid, and on it the four messages of the example with their labels."""
    phone = width < 500
    image = Svg(width, 330)
    left, right, top, bottom = 44, width - 12, 34, 282
    low, high = -3.0, 3.0

    def at(z, p):
        return left + (z - low) / (high - low) * (right - left), bottom - p * (bottom - top)

    for p in (0, 0.5, 1):
        image.line(left, at(0, p)[1], right, at(0, p)[1], "grid")
        image.text(left - 8, at(0, p)[1] + 4, printed(p), "nt", "end")
    image.line(*at(0, 0), *at(0, 1), "grid")
    z = np.linspace(low, high, 120)
    image.polyline([at(*point) for point in zip(z, sigmoid(z))], "ln-att")
    for name, score, label, p in zip(MESSAGES, Z, LABELS, sigmoid(Z)):
        image.line(*at(score, p), *at(score, label), "ln-up" if label == 0 else "ln-dn")
        image.dot(*at(score, p))
        image.dot(*at(score, label), 4, "pt-o")
        x, y = at(score, label)
        image.text(x, y + (-10 if label else 20), name, "tok", "middle")
        x, y = at(score, (p + label) / 2)
        image.text(x + 8, y + 4, printed(p - label, 2), "num")
    for tick in (-2, 0, 2):
        image.text(at(tick, 0)[0], 320, printed(tick), "nt", "middle")
    image.text(right, 320, "score z", "nt", "end")
    image.text(4, 14, "probability" if phone else "probability that it is spam", "nt")
    return image


def words(width):
    """The words of the largest weights, either way."""
    telling = lesson()["telling"]
    rows = [*telling["spam"][:8], *telling["ham"][:8][::-1]]
    image = Svg(width, len(rows) * 22 + 30)
    middle = width / 2
    biggest = max(abs(weight) for _, weight in rows)
    image.line(middle, 4, middle, len(rows) * 22 + 4, "axis")
    for i, (word, weight) in enumerate(rows):
        size = abs(weight) / biggest * (middle - 66)
        y = 6 + 22 * i
        image.rect(middle if weight > 0 else middle - size, y, size, 16,
                   "up-o" if weight > 0 else "dn-o", 2)
        image.text(middle - 8 if weight > 0 else middle + 8, y + 12, word, "tok",
                   "end" if weight > 0 else "start")
        image.text(middle + size + 6 if weight > 0 else middle - size - 6, y + 12,
                   printed(weight, 2), "num", "start" if weight > 0 else "end")
    image.text(middle + 8, len(rows) * 22 + 22, "speaks for spam", "nt")
    image.text(middle - 8, len(rows) * 22 + 22, "against it", "nt", "end")
    return image


def plot(width):
    """Calibration: what was said, and what came."""
    bins = lesson()["calibration"]
    said = [100 * each["said"] for each in bins]
    came = [100 * each["spam"] for each in bins]
    notes = [(x, y - 13, f"{each['count']}", "start") for x, y, each in zip(said, came, bins)]
    return chart(width, {"as it should be": ([0, 100], [0, 100], "dim"),
                         "as it came": (said, came, "att")},
                 "probability of spam that it gave, %", "spam among these messages, %",
                 y_range=(0, 105), notes=notes)


def grown(width):
    """How large the weights become, with decay and without."""
    sizes = separated()["sizes"]
    return chart(width, {"no decay": (STEPS_DRAWN, sizes[0.0], "ink"),
                         f"λ = {DECAY:g}": (STEPS_DRAWN, sizes[DECAY], "att")},
                 "step of training", "length of the weights", x_log=True)


def losses(width):
    """What one message costs, by its score, if it is spam and if it is not."""
    z = np.linspace(-6, 6, 121)
    zero = np.zeros(1)

    def cost(label):
        return [float(logistic(np.zeros((1, 1)), zero, np.array(score), np.array([label]))[0])
                for score in z]

    square = [float((sigmoid(np.array(score)) - 1) ** 2) for score in z]
    return chart(width, {"is spam": (z, cost(1.0), "att"), "is wanted": (z, cost(0.0), "ink"),
                         "squared": (z, square, "dim")}, "score z", "what one message costs")
