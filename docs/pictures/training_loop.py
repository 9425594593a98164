"""The loop drawn: its boxes, chance against the gradient, one weight's slope, both halves."""

import math
from functools import lru_cache
from types import SimpleNamespace

import npgpt.training
import numpy as np
import torch
import torchgpt.models
import torchgpt.training
from npgpt.layers import softmax
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import init, loss_and_grads, mean_loss, warmup_cosine
from npgpt.training.batches import draw_batch
from npgpt.tree import tree_leaves, tree_map
from svg import Svg, chart, printed

STEPS, RATE, T, B = 120, 3e-3, 32, 8
TRIES = 80  # steps of the problem's run
TEXT, CHARACTERS = "bananas", "abns"
TABLE_RATE = 0.5


# One example: a model that is one table.

def forward(params, inputs, config, mask=None, positions=None, dropout_masks=None):
    """The scores of what follows a letter: its row of the table."""
    return params["table"][inputs], (inputs, params["table"])


def backward(d_logits, saved):
    inputs, table = saved
    d_table = np.zeros_like(table)
    np.add.at(d_table, inputs, d_logits)
    return {"table": d_table}


MODEL = SimpleNamespace(forward=forward, backward=backward)
CONFIG = SimpleNamespace(vocab_size=4, context_length=6)


def example():
    """inputs, targets of the word."""
    ids = np.array([CHARACTERS.index(character) for character in TEXT])
    return ids[None, :-1], ids[None, 1:]


def table_loss(table):
    inputs, targets = example()
    return float(mean_loss(MODEL, {"table": table}, inputs, targets, CONFIG))


def worked():
    inputs, targets = example()
    table = np.zeros((4, 4))
    first, grads = loss_and_grads(MODEL, {"table": table}, inputs, targets, CONFIG)
    grad = grads["table"]
    probs = np.full((4, 4), 0.25)
    counts = np.zeros((4, 4))
    np.add.at(counts, (inputs[0], targets[0]), 1)
    params = {"table": table.copy()}
    state = npgpt.training.adamw_init(params)
    losses, tables = [], []
    for _ in range(40):
        loss, grads = loss_and_grads(MODEL, params, inputs, targets, CONFIG)
        losses.append(float(loss))
        tables.append(params["table"].copy())
        npgpt.training.adamw_step(params, grads, state, TABLE_RATE, weight_decay=0.0)
    # the same gradient from two parts of three letters each
    cut = [slice(0, 3), slice(3, 6)]
    parts = [loss_and_grads(MODEL, {"table": table}, inputs[:, part], targets[:, part], CONFIG,
                            count=6) for part in cut]
    unequal = [loss_and_grads(MODEL, {"table": table}, inputs[:, part], targets[:, part], CONFIG)
               for part in (slice(0, 1), slice(1, 6))]
    small = 0.1
    fractions = np.where(counts.sum(1, keepdims=True) > 0,
                      counts / np.maximum(counts.sum(1, keepdims=True), 1), 0)
    best = -sum(counts[i, j] * math.log(fractions[i, j]) for i in range(4) for j in range(4)
                if counts[i, j]) / 6
    names = {"letters": list(CHARACTERS), "counts": counts, "probs": probs, "d_table": grad,
             "norm": float(np.sqrt((grad * grad).sum())), "rate": TABLE_RATE,
             "after": tables[1], "first": losses[0], "second": losses[1],
             "last": losses[-1], "best": best, "sure": softmax(tables[-1])[0],
             "parts": [float(loss) for loss, _ in parts],
             "d_parts": sum(g["table"] for _, g in parts),
             "d_unequal": sum(g["table"] for _, g in unequal) / 2,
             "promised": small * float((grad * grad).sum()),
             "found": losses[0] - table_loss(table - small * grad),
             "up": table_loss(table + small * grad) - losses[0],
             "weights": sum(p.size for _, p in tree_leaves(init(gpt2, data()[1]))),
             "chance": chance()[-1], "led": led()[-1], "tries": 3 * TRIES,
             "plain": np.mean([line[0] for line in run(npgpt.training, gpt2, np.array)[50:60]]),
             "never": never_zeroed()}
    return {"loss_and_grads": {
        "args": {"model": MODEL, "params": {"table": table}, "inputs": inputs,
                 "targets": targets, "config": CONFIG}, "names": names}}


def slope(width):
    """The loss against one weight of the table: its slope, and the step."""
    image = Svg(width, 270)
    left, right, top, low = 40, width - 12, 30, 222
    ws = np.linspace(-2, 4, 121)
    grad = loss_and_grads(MODEL, {"table": np.zeros((4, 4))}, *example(), CONFIG)[1]["table"][0, 2]

    def loss(w):
        table = np.zeros((4, 4))
        table[0, 2] = w
        return table_loss(table)

    losses = [loss(w) for w in ws]
    least, most = min(losses) - 0.06, max(losses)

    def at(w, value):
        return (left + (w + 2) / 6 * (right - left), low - (value - least) / (most - least)
                * (low - top))

    image.line(left, low, right, low, "axis")
    for w in (-2, 0, 2, 4):
        image.text(at(w, 0)[0], low + 20, printed(float(w)), "nt", "middle")
    image.text((left + right) / 2, low + 42, "the weight at (a, n)", "nt", "middle")
    image.text(0, 14, "loss", "nt")
    image.polyline([at(w, value) for w, value in zip(ws, losses)], "ln-ink")
    start, end = -1.1, 1.7
    image.line(*at(start, loss(0) + start * grad), *at(end, loss(0) + end * grad), "ln-dn")
    image.arrow(*at(0, loss(0)), *at(TABLE_RATE * 2, loss(0)))
    image.dot(*at(0, loss(0)), 5)
    x, y = at(end, loss(0) + end * grad)
    image.text(x + 4, y - 8, f"slope {printed(float(grad), 2)}", "num")
    x, y = at(TABLE_RATE * 2, loss(0))
    image.text(x + 8, y + 5, "downhill: more of it", "lab")
    return image


# A GPT of two blocks.

def data():
    text = load_corpus("stories:100KB").train_text
    tokenizer = CharacterTokenizer.train(text)
    config = gpt2.Config(tokenizer.vocab_size, T, layers=2, heads=2, channels=32, tied=False)
    return np.array(tokenizer.encode(text)), config


@lru_cache(maxsize=2)
def run(training, model, make):
    """The loss, norm and rate of each step."""
    ids, config = data()
    params = tree_map(lambda p: make(p), init(gpt2, config, dtype=np.float64))
    state, lines = training.adamw_init(params), []
    for step in range(1, STEPS + 1):
        inputs, targets = draw_batch(ids, T, B, 1, step)
        loss, grads = training.loss_and_grads(
            model, params, make(inputs), make(targets), config)
        grads, norm = training.clip_by_global_norm(grads, 1.0)
        rate = warmup_cosine(step - 1, RATE, STEPS // 20, STEPS, RATE / 10)
        training.adamw_step(params, grads, state, rate)
        lines.append((float(loss), norm, rate))
    return lines


def never_zeroed(steps=60):
    """The mean loss of the last ten steps of a run whose gradients are added to all earlier
    ones."""
    ids, config = data()
    params, losses, total = init(gpt2, config), [], None
    state = npgpt.training.adamw_init(params)
    for step in range(1, steps + 1):
        inputs, targets = draw_batch(ids, T, B, 1, step)
        loss, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        total = tree_map(np.add, total, grads) if total else grads
        clipped, _ = npgpt.training.clip_by_global_norm(total, 1.0)
        rate = warmup_cosine(step - 1, RATE, STEPS // 20, STEPS, RATE / 10)
        npgpt.training.adamw_step(params, clipped, state, rate)
        losses.append(float(loss))
    return np.mean(losses[-10:])


@lru_cache(maxsize=1)
def chance(tries=3 * TRIES, seed=0, size=0.01):
    """The loss of one batch, of which every weight is changed at random, and kept where the
    loss became less."""
    ids, config = data()
    params, draw = init(gpt2, config), np.random.default_rng(seed)
    inputs, targets = draw_batch(ids, T, B, 1, 1)
    best = float(mean_loss(gpt2, params, inputs, targets, config))
    losses = [best]
    for _ in range(tries):
        changed = tree_map(
            lambda p: p + size * draw.normal(size=p.shape).astype(p.dtype), params)
        loss = float(mean_loss(gpt2, changed, inputs, targets, config))
        if loss < best:
            best, params = loss, changed
        losses.append(best)
    return losses


@lru_cache(maxsize=1)
def led(steps=TRIES):
    """The loss of the same batch, led by its gradient."""
    ids, config = data()
    params, losses = init(gpt2, config), []
    state = npgpt.training.adamw_init(params)
    inputs, targets = draw_batch(ids, T, B, 1, 1)
    for _ in range(steps):
        loss, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        losses.append(float(loss))
        npgpt.training.adamw_step(params, grads, state, RATE)
    return losses


def problem(width):
    tried, walked = chance(), led()
    at = np.arange(len(tried))
    return chart(width, {"random changes": (at, tried, "ink"),
                         "gradient": (3 * np.arange(len(walked)), walked, "att")},
                 "passes through the model", "loss of one batch, in nats", y_range=(0, 4.2))


def picture(width):
    loss, norm, rate = run(npgpt.training, gpt2, np.array)[9]
    phone = width < 500
    boxes = [("1", "batch", f"{B} windows of {T} tokens", "batches.html"),
             ("2", "forward", f"loss {loss:.3f}", "gpt2.html"),
             ("2", "backward", "gradients" if phone else "a gradient for each weight",
              "gpt2.html"),
             ("3", "clip", f"norm {norm:.2f} → {min(norm, 1.0):.2f}", "clip.html"),
             ("4", "AdamW", f"rate {rate:.4f}", "adamw.html")]
    image = Svg(width, 390)
    left = 40 if phone else 120
    across = width - left - (40 if phone else 130)
    for i, (number, name, note, target) in enumerate(boxes):
        y = 8 + i * 74
        image.link(target)
        image.rect(left, y, across, 50, "box")
        image.text(left + 16, y + 30, f"({number})", "num")
        image.text(left + 48, y + 30, name, "big")
        image.text(left + across - 14, y + 30, note, "nt", "end")
        image.unlink()
        if i:
            image.arrow(left + across / 2, y - 22, left + across / 2, y - 2)
    x = left + across + (18 if phone else 34)
    image.line(left + across, 329, x, 329)
    image.line(x, 329, x, 33)
    image.arrow(x, 33, left + across + 2, 33)
    if not phone:
        image.text(x + 8, 176, "next step", "nt")
    return image


def plot(width):
    ours = [line[0] for line in run(npgpt.training, gpt2, np.array)]
    theirs = [line[0] for line in run(torchgpt.training, torchgpt.models.gpt2, torch.tensor)]
    at = np.arange(1, STEPS + 1)
    flat = math.log(data()[1].vocab_size)
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::8], theirs[::8], "pt"),
                         " uniform": (at, [flat] * STEPS, "dim")},
                 "step", "loss in nats",
                 notes=[(STEPS * 0.98, flat + 0.06, f"ln V = {flat:.2f}", "end")])
