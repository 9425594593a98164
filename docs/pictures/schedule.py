"""The schedule drawn: a run without warm-up, up in a line and down along a cosine, noise."""

from functools import lru_cache

import numpy as np
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import (
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
    warmup_cosine,
)
from npgpt.training.batches import draw_batch
from npgpt.tree import tree_leaves, tree_map
from svg import Svg, chart

LR, MIN, WARM, DECAY, END = 1e-3, 1e-4, 100, 1000, 1200
SMALL = {"lr": 0.1, "warmup_steps": 4, "decay_steps": 10, "min_lr": 0.01}
FAST, STEPS = 0.03, 100


def worked():
    rates = np.array([warmup_cosine(step, **SMALL) for step in range(12)])
    none, some = curve(0), curve(20)
    size, moved = first_step()
    steps = np.arange(100)
    names = {"rates": rates.reshape(3, 4), "all": rates,
             "rows": ["steps 0 to 3", "steps 4 to 7", "steps 8 to 11"],
             "columns": ["first", "second", "third", "fourth"],
             "cos": float(np.cos(np.pi * 0.5)), "spike": max(none), "at": int(np.argmax(none)) + 1,
             "agree": [curve(20, strides=True)[i] for i in (0, 9, 59)],
             "ends": [np.mean(none[-10:]), np.mean(some[-10:])], "size": size, "moved": moved,
             "rest": 0.2 / 1.8, "rest_small": 0.02 / 1.98,
             "cosine": noisy([warmup_cosine(s, 0.2, 10, 100) for s in steps])[-1],
             "linear": noisy([0.2 * min((s + 1) / 10, (100 - s) / 90) for s in steps])[-1],
             "constant": noisy([0.2] * 100)[-1]}
    return {"warmup_cosine": {"args": {"step": 7, **SMALL}, "names": names}}


@lru_cache(maxsize=1)
def model():
    text = load_corpus("stories:100KB").train_text
    tokenizer = CharacterTokenizer.train(text)
    return np.array(tokenizer.encode(text)), gpt2.Config(
        tokenizer.vocab_size, 32, layers=2, heads=2, channels=32, tied=False)


@lru_cache(maxsize=2)
def run(warmup, lr=FAST):
    """The loss of each step with so long a warm-up; and the typical size of m / √v, both
    corrected, of the matrices."""
    ids, config = model()
    params, losses, strides = init(gpt2, config, dtype=np.float64), [], []
    state = adamw_init(params)
    for step in range(STEPS):
        inputs, targets = draw_batch(ids, 32, 8, 2, step + 1)
        loss, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state, warmup_cosine(step, lr, warmup, STEPS, lr / 10))
        losses.append(float(loss))
        first, second = (np.concatenate([x.ravel() for _, x in tree_leaves(state[name])
                                         if x.ndim >= 2]) for name in ("m", "v"))
        reached = second > 0
        ratio = (first[reached] / (1 - 0.9 ** (step + 1))
                 / np.sqrt(second[reached] / (1 - 0.95 ** (step + 1))))
        strides.append(float(np.sqrt((ratio**2).mean())))
    return losses, strides


def curve(warmup, strides=False):
    return run(warmup)[strides]


def first_step():
    """The typical size of a matrix's weights before the first step, and of their change."""
    ids, config = model()
    params = init(gpt2, config)
    before = tree_map(np.copy, params)
    _, grads = loss_and_grads(gpt2, params, *draw_batch(ids, 32, 8, 2, 1), config)
    adamw_step(params, grads, adamw_init(params), FAST)
    old, new = (np.concatenate([p.ravel() for _, p in tree_leaves(tree) if p.ndim >= 2])
                for tree in (before, params))
    return float(np.sqrt((old**2).mean())), float(np.sqrt(((new - old) ** 2).mean()))


def problem(width):
    at = np.arange(1, STEPS + 1)
    return chart(width, {"warm-up of 20 steps": (at, curve(20), "att"),
                         "no warm-up": (at, curve(0), "ink")},
                 "step", "loss in nats", y_range=(2, 6))



def picture(width):
    phone = width < 500
    height = 300 if phone else 330
    left, right, top, low = 46, width - 8, 30, height - 62
    image = Svg(width, height)

    def at(step, rate):
        return left + step / END * (right - left), low - rate / LR * (low - top)

    for rate, words in ((0, "0"), (MIN, "min_lr"), (LR, "lr")):
        _, y = at(0, rate)
        image.line(left, y, right, y, "axis")
        image.text(left - 7, y + 4, words, "nt", "end")
    parts = [(1, 0, WARM, "warm up"), (3, WARM, DECAY, "follow half a cosine"),
             (2, DECAY, END, "hold")]
    for number, first, last, words in parts:
        x, x2 = at(first, 0)[0], at(last, 0)[0]
        image.step(f"warmup_cosine-{number}", x, top - 12, x2 - x, low - top + 58)
        steps = np.arange(first, last + 1, 4)
        image.polyline([at(s, warmup_cosine(s, LR, WARM, DECAY, MIN)) for s in steps], "ln-att")
        if first:
            image.line(x, top - 6, x, low + 8, "axis")
        if phone and number != 3:
            image.text((x + x2) / 2, low + 44, f"({number})", "lab", "middle")
        else:
            image.text((x + x2) / 2, low + 44, f"({number}) {words}", "lab", "middle")
        image.end()
    for step, words in ((0, "0"), (WARM, "warmup" if phone else "warmup_steps"),
                        (DECAY, "decay_steps")):
        anchor = "start" if step == WARM else "middle"
        image.text(at(step, 0)[0] - (10 if step == WARM and not phone else 0), low + 22, words,
                   "nt", anchor)
    return image


def noisy(rates):
    """Mean squared distance from the best weight, over 4000 weights with noisy gradients."""
    w, out = np.full(4000, 3.0), []
    for step, rate in enumerate(rates):
        out.append(float((w * w).mean()))
        w = w - rate * (w + normals(w.shape, 1, step, "noise"))
    return out


def plot(width):
    steps = np.arange(100)
    curves = {"constant 0.2": ([0.2] * 100, "ink"), "constant 0.02": ([0.02] * 100, "dim"),
              "schedule": ([warmup_cosine(s, 0.2, 10, 100) for s in steps], "att")}
    if width < 500:
        curves = {name.replace("constant ", ""): v for name, v in curves.items()}
    return chart(width, {name: (steps, noisy(rates), style)
                         for name, (rates, style) in curves.items()},
                 "step", "mean squared distance from the best", y_log=True)
