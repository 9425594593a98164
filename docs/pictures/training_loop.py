"""The loop drawn: one step with its numbers; and a short run in both halves."""

import math

import npgpt.training
import numpy as np
import torch
import torchgpt.models
import torchgpt.training
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer, load_corpus
from npgpt.training import init, warmup_cosine
from npgpt.training.batches import draw_batch
from npgpt.tree import tree_map
from svg import Svg, chart

STEPS, RATE, T, B = 120, 3e-3, 32, 8
DONE = {}


def data():
    text = load_corpus("stories:100KB").train_text
    tokenizer = CharacterTokenizer.train(text)
    config = gpt2.Config(tokenizer.vocab_size, T, layers=2, heads=2, channels=32, tied=False)
    return np.array(tokenizer.encode(text)), config


def run(training, model, make):
    """The loss, norm and rate of each step."""
    if training.__name__ in DONE:
        return DONE[training.__name__]
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
    DONE[training.__name__] = lines
    return lines


def picture(width):
    loss, norm, rate = run(npgpt.training, gpt2, np.array)[9]
    phone = width < 500
    boxes = [("1", "batch", f"{B} windows of {T} tokens", "batches.html"),
             ("2", "forward", f"loss {loss:.3f}", "gpt2.html"),
             ("2", "backward", "gradients" if phone else "a gradient for each weight",
              "gpt2.html"),
             ("3", "clip", f"length {norm:.2f} → {min(norm, 1.0):.2f}", "clip.html"),
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
