"""The lesson of the spam filter: rules that someone wrote beside weights that were learned,
on messages that neither has met."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npgpt.random_stream import uniforms
from npgpt.text.bag_of_words import bag_of_words, vocabulary_of
from npgpt.text.corpora.spam import SPAM, Message, spam_by_rules

HELD_OUT = 1 / 3
DECAY, STEPS, SPLITS = 0.01, 500, 5
MOST_WORDS = 1000
BINS = 5
TELLING = 10


def learn_spam(
    messages: Sequence[Message], fit_logistic: Callable, seed: int = 1,
    most: int = MOST_WORDS,
) -> dict[str, Any]:
    """Five splits of the messages, of seeds `seed` to `seed + 4`; what rules and learning get
    wrong on the held-out third of each. Words and confusions are the first split's."""
    splits, probs, labels = [], [], []
    for each in range(seed, seed + SPLITS):
        found = one_split(messages, fit_logistic, each, most)
        splits.append(found)
        probs.append(found.pop("probs"))
        labels.append(found.pop("labels"))
    first = splits[0]
    about = {name: first.pop(name) for name in ("telling", "confusion", "losses", "mistakes")}
    for found in splits[1:]:
        for name in about:
            found.pop(name)
    return {
        "messages": len(messages), "spam": sum(label for _, label in messages),
        "held_out": len(labels[0]), "vocabulary": first["vocabulary"], "decay": DECAY,
        "splits": splits,
        **{name: spread([found[name] for found in splits])
           for name in ("rules_error", "learned_error", "training_error")},
        **about,
        "calibration": calibration(np.concatenate(probs), np.concatenate(labels)),
    }


def one_split(messages: Sequence[Message], fit_logistic: Callable, seed: int, most: int) -> dict:
    """The vocabulary and the weights come from the training part alone, and the boundary is
    a probability of one in two: nothing is chosen on the held-out part."""
    train, held_out = split(messages, seed)
    texts, y = [text for text, _ in train], np.array([label for _, label in train], float)
    vocabulary = vocabulary_of(texts, most=most)
    x = bag_of_words(texts, vocabulary)
    weight, bias, losses = fit_logistic(x, y, DECAY, STEPS, safe_rate(x, DECAY))
    tests = [text for text, _ in held_out]
    labels = np.array([label for _, label in held_out])
    z = bag_of_words(tests, vocabulary) @ weight + bias
    by_rules, by_learning = np.array([spam_by_rules(text) for text in tests]), z > 0
    order = np.argsort(weight)
    worst = np.argsort(-np.where(labels == SPAM, -z, z))[:3]
    return {
        "seed": seed, "vocabulary": len(vocabulary),
        "rules_error": float((by_rules != labels).mean()),
        "learned_error": float((by_learning != labels).mean()),
        "training_error": float(((x @ weight + bias > 0) != y).mean()),
        "losses": losses, "probs": probability(z), "labels": labels,
        "telling": {"spam": [(vocabulary[i], float(weight[i])) for i in order[::-1][:TELLING]],
                    "ham": [(vocabulary[i], float(weight[i])) for i in order[:TELLING]]},
        "confusion": {"rules": confusion(by_rules, labels),
                      "learned": confusion(by_learning, labels)},
        "mistakes": [{"text": tests[i], "label": int(labels[i]),
                      "probability": float(probability(z[i]))} for i in worst],
    }


def split(messages: Sequence[Message], seed: int) -> tuple[list[Message], list[Message]]:
    """(training part, held-out part) of a random order."""
    order = np.argsort(uniforms((len(messages),), seed, 0, "spam.split"))
    count = round(HELD_OUT * len(messages))
    return [messages[i] for i in order[count:]], [messages[i] for i in order[:count]]


def safe_rate(x: np.ndarray, decay: float) -> float:
    """x (N, V) -> 1 / the loss's largest curvature: no step of that rate is uphill. σ has
    a slope of 1/4 at most."""
    rows = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    return float(1 / (np.linalg.eigvalsh(rows.T @ rows / len(x))[-1] / 4 + decay))


def probability(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2


def spread(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "least": min(values), "most": max(values)}


def confusion(said: np.ndarray, labels: np.ndarray) -> dict[str, int]:
    """How many of each: right ones, good messages called spam, spam that came through."""
    return {"spam_found": int((said & (labels == 1)).sum()),
            "spam_missed": int((~said & (labels == 1)).sum()),
            "ham_called_spam": int((said & (labels == 0)).sum()),
            "ham_let_through": int((~said & (labels == 0)).sum())}


def calibration(probs: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Of the messages that were given a probability between two bounds: how many, its mean,
    and what fraction was spam."""
    place, found = np.minimum((probs * BINS).astype(int), BINS - 1), []
    for i in range(BINS):
        inside = place == i
        if inside.any():
            found.append({"from": i / BINS, "to": (i + 1) / BINS, "count": int(inside.sum()),
                          "said": float(probs[inside].mean()),
                          "spam": float(labels[inside].mean())})
    return found
