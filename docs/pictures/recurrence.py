"""A recurrent network drawn: one state passed on, what is left of a gradient after some words,
and the records beside attention."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.layers import recurrence, recurrence_backward, softmax
from npgpt.models import recurrent
from npgpt.training import clip_by_global_norm
from svg import Svg, chart, printed

RECORD = Path(__file__).parents[1] / "records" / "recurrent.json"
VOCABULARY = ["key", "keys", "near", "is", "are"]
CHANNELS = ["plural", "noun"]
TOKENS = np.array([[-1.0, 1], [1, 1], [0, -1], [0, 0], [0, 0]])
WEIGHT = np.array([[1.8, -0.4], [0.2, 0.1]])
HEAD = np.array([[0.0, 0, 0, -2, 2], [-1, -1, 1, 1, 1]])
IDS = np.array([[1, 2, 0]])         # keys, near, key
X = TOKENS[IDS]
WORDS = [VOCABULARY[i] for i in IDS[0]]
D_STATES = np.array([[[0.0, 0], [0, 0], [-1, 0]]])
CONFIG = recurrent.Config(5, channels=2)
PARAMS = {"tokens": {"weight": TOKENS}, "input": {"weight": np.eye(2)},
          "recurrence": {"weight": WEIGHT}, "head": {"weight": HEAD}}
ARE = 4


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def worked():
    states, saved = recurrence(X, WEIGHT)
    before = saved[1]
    d_x, _, grads = recurrence_backward(D_STATES, saved)
    logits, _ = recurrent.forward(PARAMS, IDS, CONFIG)
    probs, _ = softmax(logits)
    d_logits = np.zeros_like(logits)
    d_logits[0, -1] = probs[0, -1] - np.eye(5)[ARE]
    alone, _ = softmax(recurrent.forward(PARAMS, IDS[:, 2:], CONFIG)[0])
    clipped, norm = clip_by_global_norm({"x": d_x}, 0.1)
    said = record()
    text, agreement = said["text"], said["agreement"]
    names = {
        "words": WORDS, "vocabulary": VOCABULARY, "ch": CHANNELS, "table": TOKENS,
        "w_head": HEAD, "mixed_all": (X + before @ WEIGHT)[0], "slopes": 1 - states[0] ** 2,
        "three": states[0], "earlier": before[0], "back": d_x[0], "d_w": grads["weight"],
        "each": [before[0, t:t + 1].T @ d_x[0, t:t + 1] for t in range(3)],
        "lengths": np.linalg.norm(d_x[0], axis=1), "small": clipped["x"][0], "norm": norm,
        "probs": probs[0], "alone": alone[0, 0],
        "said": said, "text": text, "models": text["models"], "agreement": agreement,
        "accuracy": accuracy, "ms": dict(zip(("recurrent", "attention"), (
            dict(zip(said["time"]["lengths"], said["time"]["milliseconds"][name]))
            for name in ("recurrent", "attention")))),
        "crossing": crossing()}
    return {"recurrence": {"args": {"x": X, "weight": WEIGHT}, "d_y": D_STATES, "names": names},
            "recurrent.forward": {"args": {"params": PARAMS, "ids": IDS, "config": CONFIG},
                                  "d_y": d_logits, "names": names}}


def accuracy(name, step):
    """Agreement by words between after so many steps, the mean over the seeds."""
    said = record()["agreement"]
    at = said["steps"].index(step)
    return np.mean([seed[at] for seed in said["models"][name]["accuracy"]], axis=0)


def crossing():
    """The first length at which attention takes longer."""
    said = record()["time"]
    pairs = zip(said["lengths"], said["milliseconds"]["recurrent"],
                said["milliseconds"]["attention"])
    return next((length for length, one, other in pairs if other > one), None)


def picture(width):
    """The same cell at each word; the state goes from left to right."""
    phone = width < 500
    states, _ = recurrence(X, WEIGHT)
    image = Svg(width, 270)
    left, step = (30, (width - 40) / 3) if phone else (64, (width - 84) / 3)
    box = step * (0.62 if phone else 0.56)
    mixed = X[0] + np.vstack([np.zeros((1, 2)), states[0, :-1]]) @ WEIGHT
    for t, word in enumerate(WORDS):
        x = left + t * step
        middle = x + box / 2
        image.text(middle, 262, word, "tok", "middle")
        image.text(middle, 240, " ".join(printed(v) for v in X[0, t]), "num", "middle")
        image.arrow(middle, 224, middle, 184)
        image.rect(x, 96, box, 86)
        image.text(middle, 116, "tanh", "lab", "middle")
        image.text(middle, 140, " ".join(printed(v, 2) for v in mixed[t]), "num", "middle")
        image.text(middle, 168, "add", "lab", "middle")
        image.arrow(middle, 94, middle, 52)
        image.text(middle, 38, " ".join(printed(v, 2) for v in states[0, t]), "num", "middle")
        if t < 2:
            image.arrow(x + box + 2, 140, x + step - 3, 140)
            image.text(x + (box + step) / 2, 130, "W" if phone else "weight", "nt", "middle")
    image.text(2, 14, "states", "lab")
    image.arrow(2, 140, left - 3, 140)
    image.text(2, 130, "0" if phone else "zeros", "nt")
    return image


def fade(width):
    """Measured in the linear case, on the theory's lines."""
    curves, series, notes = record()["linear"]["curves"], {}, []
    for gain, curve in curves.items():
        distances = list(range(len(curve)))
        label = "theory" if gain == "0.8" else " theory"
        series[label + ("" if gain == "0.8" else gain)] = (
            distances, [float(gain) ** k for k in distances], "np")
        label = "measured" if gain == "0.8" else " measured"
        series[label + ("" if gain == "0.8" else gain)] = (distances[::5], curve[::5], "pt")
        notes.append((46, float(gain) ** 46 * (3 if gain != "1.0" else 2.2), f"g = {gain}", "end"))
    return chart(width, series, "tokens that it has gone back", "length of the gradient",
                 y_log=True, notes=notes)


def by_distance(width):
    """Both models, before and after training."""
    models = record()["text"]["models"]
    series = {}
    for words, name, when, style in (("recurrent", "recurrent", "after", "att"),
                                     (" recurrent at first", "recurrent", "before", "dim"),
                                     ("GPT", "GPT", "after", "ink")):
        curve = models[name]["gradient"][when]
        series[words] = (list(range(len(curve))), curve, style)
    before = models["recurrent"]["gradient"]["before"]
    return chart(width, series, "tokens that it has gone back", "length of the gradient",
                 y_log=True, notes=[(34, before[34] / 2000, "recurrent, untrained", "end")])


def curves(width):
    said = record()["text"]
    steps = list(range(0, said["steps"] + 1, said["every"]))
    return chart(width, {"recurrent": (steps, said["models"]["recurrent"]["losses"], "att"),
                         "GPT": (steps, said["models"]["GPT"]["losses"], "ink")},
                 "training steps", "validation loss in nats", y_range=(1.3, 3.6))


def agree(width):
    between = record()["agreement"]["between"]
    series = {"attention": (between, 100 * accuracy("attention", 200), "ink")}
    for step, words, style in ((200, "recurrent", "att"), (300, " later", "dim")):
        series[words] = (between, 100 * accuracy("recurrent", step), style)
    notes = [(4, 100 * accuracy("recurrent", 300)[4] + 3, "recurrent, step 300", "middle"),
             (4, 100 * accuracy("recurrent", 200)[4] + 4, "step 200", "middle")]
    return chart(width, series, "words between subject and verb", "right number, per cent",
                 y_range=(40, 108), notes=notes, x_ticks=between)


def times(width):
    said = record()["time"]
    lengths = said["lengths"]
    return chart(width, {"recurrent": (lengths, said["milliseconds"]["recurrent"], "att"),
                         "attention": (lengths, said["milliseconds"]["attention"], "ink")},
                 "tokens", "milliseconds", x_log=True, y_log=True,
                 x_ticks=lengths if width > 500 else lengths[::2])
