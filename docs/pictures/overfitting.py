"""Overfitting drawn: training and validation loss of a recorded run and of one table, what
choosing among many does, what helps."""

import json
import math
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from npgpt.layers import softmax
from npgpt.training import adamw_init, adamw_step, loss_and_grads, mean_loss
from svg import Svg, chart, printed
from training_loop import MODEL  # the same table of scores

RECORD = Path(__file__).parents[1] / "records" / "overfitting.json"
CHARACTERS, TRAIN, VALIDATION = "abns", "bananas", "banaba"
RUNS = ["base", "more data", "dropout", "weight decay", "smaller model"]


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def losses(name):
    """steps, training losses, validation losses of a run."""
    return np.array(record()["runs"][name]["losses"]).T


CONFIG = SimpleNamespace(vocab_size=4, context_length=8)


def pairs(text):
    ids = np.array([CHARACTERS.index(character) for character in text])
    return ids[None, :-1], ids[None, 1:]


@lru_cache(maxsize=3)
def trained(text=TRAIN, decay=0.0, steps=40):
    """(training loss, validation loss, table) before each step and at the end."""
    params = {"table": np.zeros((4, 4))}
    state, out = adamw_init(params), []
    for _ in range(steps + 1):
        loss, grads = loss_and_grads(MODEL, params, *pairs(text), CONFIG)
        validation = mean_loss(MODEL, params, *pairs(VALIDATION), CONFIG)
        out.append((float(loss), float(validation), params["table"].copy()))
        adamw_step(params, grads, state, 0.5, weight_decay=decay)
    return out


def worked():
    run = trained()
    validation = [point[1] for point in run]
    best = int(np.argmin(validation))
    at = [0, best, 10, 40]
    decayed = trained(decay=0.2)
    steps, train, validation = losses("base")
    low = int(np.argmin(validation))
    table = []
    for name in RUNS:
        _, fit, check = losses(name)
        k = int(np.argmin(check))
        table.append([check[k], steps[k], check[-1], fit[-1], check[-1] - fit[-1]])
    settings = record()
    names = {"letters": list(CHARACTERS), "rows": [f"step {step}" for step in at], "best": best,
             "columns": ["training", "validation", "gap", "b after a"],
             "points": [[run[s][0], run[s][1], run[s][1] - run[s][0],
                         softmax(run[s][2])[0][0, 1]] for s in at],
             "step": steps[low], "lowest": validation[low], "at_lowest": train[low],
             "end": validation[-1], "end_train": train[-1], "last": int(steps[-1]),
             "wasted": int(steps[-1] - steps[low]), "sure": math.exp(-train[-1]),
             "guess": math.exp(-validation[-1]), "guess_best": math.exp(-validation[low]),
             "runs": RUNS, "heads": ["lowest", "step", "end", "train", "gap"],
             "gain": [table[0][0] - row[0] for row in table],
             "table": [[f"{v:.2f}" if i != 1 else f"{v:.0f}" for i, v in enumerate(row)]
                       for row in table],
             "decayed": decayed[-1][1], "plain_end": run[-1][1], "plain_best": validation[best],
             "counts": {text: len(text) - 1 for text in (TRAIN, VALIDATION)},
             "passes": settings["steps"] * settings["batch"] * settings["context"] / 3000,
             "passes_best": steps[low] * settings["batch"] * settings["context"] / 3000,
             "command": settings["command"], "seed": settings["seed"], "date": settings["date"],
             "commit": settings["commit"], "chosen": chosen()}
    inputs, targets = pairs(VALIDATION)
    return {"mean_loss": {"args": {"model": MODEL, "params": {"table": run[best][2]},
                                   "inputs": inputs, "targets": targets, "config": CONFIG},
                          "names": names}}


def problem(width):
    steps, train, validation = losses("base")
    low = int(np.argmin(validation))
    return chart(width, {"validation": (steps, validation, "att"),
                         "training": (steps, train, "ink"),
                         " best": ((steps[low], steps[low]), (0.4, 3.6), "dim")},
                 "step", "loss in nats", y_range=(0.4, 3.6),
                 notes=[(steps[low] + 12, 3.4, f"lowest: step {steps[low]:.0f}", "start")])


def picture(width):
    """The table's two losses."""
    at = np.arange(26)
    run = trained()
    best = int(np.argmin([point[1] for point in run]))
    return chart(width, {"validation, banaba": (at, [run[s][1] for s in at], "att"),
                         "training, bananas": (at, [run[s][0] for s in at], "ink"),
                         " best": ((best, best), (0, 2.6), "dim")},
                 "step", "loss in nats", y_range=(0, 2.6),
                 notes=[(best + 0.4, 2.42, f"stop here: step {best}", "start")])


CANDIDATES = [1, 3, 10, 30, 100, 300, 1000]


@lru_cache(maxsize=1)
def chosen(rounds=60, seed=0):
    """{examples: (training losses, true losses)} of the best of so many random guesses, best
    by its training loss: each guess is a distribution over 8 letters."""
    draw = np.random.default_rng(seed)
    out = {20: np.zeros((2, len(CANDIDATES))), 200: np.zeros((2, len(CANDIDATES)))}
    for _ in range(rounds):
        truth = softmax(draw.normal(size=8))[0]
        guesses = np.log(softmax(draw.normal(size=(max(CANDIDATES), 8)))[0])
        for size, sums in out.items():
            counts = draw.multinomial(size, truth) / size
            on_sample = -(guesses @ counts)
            for i, count in enumerate(CANDIDATES):
                best = int(np.argmin(on_sample[:count]))
                sums[:, i] += on_sample[best], -(guesses[best] @ truth)
    return {size: sums / rounds for size, sums in out.items()}


def choosing(width):
    found = chosen()
    return chart(width, {"on the 20": (CANDIDATES, found[20][0], "ink"),
                         "on new ones": (CANDIDATES, found[20][1], "att")},
                 "guesses to choose from", "loss of the chosen one, in nats", x_log=True,
                 x_ticks=CANDIDATES)


def helps(width):
    others = "the others" if width < 500 else "dropout, weight decay, smaller model"
    series = {}
    for name, label, style in (("dropout", others, "dim"), ("weight decay", " decay", "dim"),
                               ("smaller model", " smaller", "dim"), ("base", "base", "ink"),
                               ("more data", "more data", "att")):
        steps, _, validation = losses(name)
        series[label] = (steps, validation, style)
    return chart(width, series, "step", "validation loss in nats", y_range=(1.2, 3.2))


def gaps(width):
    """Training and validation loss at the end of each run, and between them the gap."""
    phone = width < 500
    left, right = (104 if phone else 130), width - 20
    image = Svg(width, 50 + 46 * len(RUNS))

    def x(value):
        return left + value / 3 * (right - left)

    for value in range(4):
        image.line(x(value), 34, x(value), 30 + 46 * len(RUNS), "axis")
        image.text(x(value), 46 + 46 * len(RUNS), str(value), "nt", "middle")
    image.text(left, 14, "at the end: training ● – ● validation", "nt")
    for i, name in enumerate(RUNS):
        _, train, validation = losses(name)
        y = 56 + 46 * i
        image.text(left - 10, y + 4, name, "lab", "end")
        image.line(x(train[-1]), y, x(validation[-1]), y, "ln-att")
        image.dot(x(train[-1]), y, 5, "ink-o")
        image.dot(x(validation[-1]), y, 5, "att-o")
        image.text((x(train[-1]) + x(validation[-1])) / 2, y - 8,
                   printed(validation[-1] - train[-1], 2), "num", "middle")
    return image
