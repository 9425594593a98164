"""The whole model drawn, its boxes linked to their chapters; what a table of pairs cannot
do; and one batch learned by heart."""

from functools import lru_cache
from math import prod
from pathlib import Path

import npgpt.training
import numpy as np
import torch
import torchgpt.models
import torchgpt.training
from npgpt.layers import softmax
from npgpt.models import gpt2
from npgpt.tree import tree_leaves, tree_map
from svg import Svg, chart

CHAPTERS = Path(__file__).parents[1] / "chapters"
VOCABULARY = ["Rex", "Tom", "him", "barked", "fled"]
CHANNELS = ["acts", "acted on", "dog", "cat"]
QKV = np.zeros((4, 12))
QKV[:2, 0] = 1.5           # as in the chapter of the block
QKV[:2, 4] = [-1, 1]
QKV[2:, 10:] = np.eye(2)
OUT = np.zeros((4, 4))
OUT[2:, 2:] = 2 * np.eye(2)
ONES, ZEROS = np.ones(4), np.zeros(4)
PARAMS = {
    "tokens": {"weight": np.array([[0.0, 0, 1, -1], [0, 0, -1, 1], [0, 0, -1, -1],
                                   [0, 0, 0, 0], [0, 0, 0, 0]])},
    "positions": {"weight": np.array([[1.0, -1, 0, 0], [-1, 1, 0, 0], [1, 1, 0, 0]])},
    "blocks": [{
        "norm_1": {"weight": ONES, "bias": ZEROS}, "norm_2": {"weight": ONES, "bias": ZEROS},
        "attention": {"qkv": {"weight": QKV, "bias": np.zeros(12)},
                      "out": {"weight": OUT, "bias": ZEROS}},
        "feed_forward": {"up": {"weight": np.array([[0.0, 1], [1, 0], [0, 1], [1, 0]]),
                                "bias": np.zeros(2)},
                         "down": {"weight": np.array([[-1.0, 0, 0, 0], [1, 0, 0, 0]]),
                                  "bias": ZEROS}}}],
    "norm": {"weight": ONES, "bias": ZEROS},
    "head": {"weight": np.array([[0.0, 0, 0, 0, -1], [0, 0, 0, 1, 1], [0, 0, 0, 2, 0],
                                 [0, 0, 0, 0, 2]])}}
CONFIG = gpt2.Config(5, 3, 1, 1, 4, tied=False)
IDS = np.array([[0, 1, 2]])      # Rex, Tom, him
TARGET = 4                       # him fled


def worked():
    logits, _ = gpt2.forward(PARAMS, IDS, CONFIG)
    probs, _ = softmax(logits)
    swapped, _ = softmax(gpt2.forward(PARAMS, IDS[:, [1, 0, 2]], CONFIG)[0])
    d_logits = np.zeros_like(logits)
    d_logits[0, 2] = probs[0, 2] - np.eye(5)[TARGET]
    found = learned()
    names = {"words": [VOCABULARY[i] for i in IDS[0]], "vocabulary": VOCABULARY,
             "channels": CHANNELS, "him": 2, "probs": probs[0], "swapped": swapped[0, 2],
             "table": PARAMS["tokens"]["weight"], "places": PARAMS["positions"]["weight"],
             "w_head": PARAMS["head"]["weight"], "steps": ["position 0", "position 1",
                                                           "position 2"],
             "two": ["Rex Tom him", "Tom Rex him"],
             "pairs_text": found["pairs"][1], "model_text": found["model"][1],
             "pairs_loss": found["pairs"][2], "model_loss": found["model"][2]}
    return {"gpt2.forward": {"args": {"params": PARAMS, "ids": IDS, "config": CONFIG},
                             "d_y": d_logits, "names": names}}


SENTENCE = "she sells sea shells by the sea shore"


@lru_cache(maxsize=1)
def learned(steps=30):
    """Of a table of pairs and of a small GPT, both from one sentence: the probability that
    each gives to the next character, what each writes, and its loss."""
    characters = sorted(set(SENTENCE))
    ids = np.array([[characters.index(character) for character in SENTENCE]])
    counts = np.zeros((len(characters), len(characters)))
    np.add.at(counts, (ids[0, :-1], ids[0, 1:]), 1)
    table = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    config = gpt2.Config(len(characters), len(SENTENCE), 2, 2, 32, tied=False)
    params = npgpt.training.init(gpt2, config, seed=1)
    overfit(npgpt.training, gpt2, params, ids[:, :-1], ids[:, 1:], config, steps)

    def model(ids):
        return softmax(gpt2.forward(params, ids, config)[0])[0][0]

    found = {}
    for name, predict in (("pairs", lambda ids: table[ids[0]]), ("model", model)):
        given = predict(ids[:, :-1])[np.arange(len(SENTENCE) - 1), ids[0, 1:]]
        written = ids[:, :1]
        while written.shape[1] < len(SENTENCE):
            best = predict(written)[-1:].argmax(-1)
            written = np.concatenate([written, best[None]], axis=1)
        found[name] = (given, "".join(characters[i] for i in written[0]),
                       float(-np.log(given).mean()))
    return found


def problem(width):
    """The sentence, each character as dark as the probability that it was given."""
    found = learned()
    per_line = 19 if width < 500 else len(SENTENCE)
    cell = (width - 2) / per_line
    lines = -(-len(SENTENCE) // per_line)
    block = 30 * lines + 44
    image = Svg(width, 2 * block)
    for row, (name, words) in enumerate((("pairs", "table of pairs"), ("model", "the model"))):
        given, written, loss = found[name]
        top = row * block
        image.text(0, top + 14, f"{words}: loss {loss:.2f}", "lab")
        for i, character in enumerate(SENTENCE):
            x, y = (i % per_line) * cell, top + 22 + 30 * (i // per_line)
            if i:
                image.rect(x, y, cell - 1.5, 26, "cellbox att", 3, f"--share:{given[i - 1]:.3f}")
            image.text(x + cell / 2 - 1, y + 18, "␣" if character == " " else character, "val",
                       "middle")
    return image


def counted():
    """{part: numbers in it} of GPT-2 small."""
    config = gpt2.Config(50257, 1024, 12, 12, 768, tied=True)
    found = dict.fromkeys(["token table", "position table", "attention", "MLP", "norms"], 0)
    for path, weight in tree_leaves(gpt2.weights(config)):
        part = ("token table" if path.startswith("tokens") else
                "position table" if path.startswith("positions") else
                "norms" if "norm" in path else
                "attention" if "attention" in path else "MLP")
        found[part] += prod(weight.shape)
    return found


def parts(width):
    """Where the numbers of GPT-2 small are."""
    found = counted()
    phone = width < 500
    left, right = (104, 74) if phone else (130, 90)
    biggest = max(found.values())
    image = Svg(width, 34 * len(found) + 34)
    for i, (name, size) in enumerate([*found.items(), ("all", sum(found.values()))]):
        y = 4 + 34 * i
        image.text(left - 10, y + 18, name, "lab", "end")
        if name != "all":
            long = max(1, (width - left - right) * size / biggest)
            image.rect(left, y, long, 26, "cellbox att", 3, "--share:.9")
        image.text(left + (long + 8 if name != "all" else 0), y + 18,
                   f"{size / 1e6:.2f} M" if size < 1e6 else f"{size / 1e6:.1f} M", "num")
    return image


def box(image, x, y, width, words, page, note="", kind="box", up=""):
    """A box that leads to a chapter, where that chapter exists."""
    known = (CHAPTERS / f"{page}.md").exists()
    if known:
        image.link(f"{up}{page}.html")
    image.rect(x, y, width, 34, kind)
    image.text(x + width / 2, y + 22, words, "tok", "middle")
    if known:
        image.unlink()
    if note:
        image.text(x + width + 12, y + 21, note, "nt")
    return image


def tower(width, up="", way="ln-ink"):
    """From the ids at the bottom to the loss at the top; `way`: how its line is drawn."""
    phone = width < 500
    image = Svg(width, 660)
    x, box_width = (20, 200) if phone else (190, 240)
    middle = x + box_width / 2
    rows = [
        (616, "ids", "tokenizers", "(B, T)"),
        (480, "dropout", "dropout", "(B, T, C)"),
        (110, "layer_norm", "layer_norm", "(B, T, C)"),
        (60, "linear", "linear", "(B, T, V), the head"),
        (8, "cross_entropy", "cross_entropy", "one number")]
    column = box_width / 2 - 6
    for side in (x + column / 2, x + 1.5 * column + 12):
        image.line(middle, 594, side, 594, way).line(side, 594, side, 528, way)
        image.line(side, 528, middle, 528, way)
    image.line(middle, 616, middle, 594, way)
    image.arrow(middle, 528, middle, 42, way)
    for row_y, words, page, note in rows:
        box(image, x, row_y, box_width, words, page, note, up=up)
    box(image, x, 536, column, "embedding", "embedding", up=up)
    box(image, x + column + 12, 536, column, "positions", "position_embedding", "(B, T, C), added",
        up=up)
    image.rect(x - 14, 160, box_width + 28, 306, "box", 12)
    image.link(f"{up}block.html")
    image.text(x - 4, 182, "block", "nm")
    image.unlink()
    image.text(x + box_width + 2, 182, "× layers", "nt", "end")
    image.arrow(middle, 460, middle, 196, way)
    inner = box_width - 64
    for low, parts in ((400, ("layer_norm", "multi_head_attention")), (264, ("layer_norm", "mlp"))):
        image.line(middle, low + 50, x + box_width - 4, low + 50, way)
        image.line(x + box_width - 4, low + 50, x + box_width - 4, low - 56, way)
        image.arrow(x + box_width - 4, low - 56, middle + 9, low - 56, way)
        for i, part in enumerate(parts):
            box(image, x + 32, low - 42 * i, inner, part, part, up=up)
        image.dot(middle, low - 56, 8, "box")
        image.text(middle, low - 51, "+", "lab", "middle")
    if not phone:
        image.link(f"{up}attention.html")
        image.text(x + box_width + 26, 380, "holds attention", "nt").unlink()
    return image


def picture(width):
    return tower(width)


def overfit(training, model, params, ids, targets, config, steps):
    state = training.adamw_init(params)
    losses = []
    for _ in range(steps):
        loss, grads = training.loss_and_grads(model, params, ids, targets, config)
        grads, _ = training.clip_by_global_norm(grads, 1.0)
        training.adamw_step(params, grads, state, lr=1e-2)
        losses.append(float(loss))
    return losses


def plot(width, steps=60):
    config = gpt2.Config(27, 16, 2, 4, 32)
    draw = np.random.default_rng(0).integers
    ids, targets = draw(0, 27, (2, 4, 16))
    params = npgpt.training.init(gpt2, config, seed=1)
    tensors = tree_map(lambda p: torch.from_numpy(p.copy()), params)
    ours = overfit(npgpt.training, gpt2, params, ids, targets, config, steps)
    theirs = overfit(torchgpt.training, torchgpt.models.gpt2, tensors, torch.from_numpy(ids),
                     torch.from_numpy(targets), config, steps)
    at = list(range(steps))
    note = (steps / 3, np.log(27) * 0.98, f"ln 27 = {np.log(27):.2f}", "start")
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::3], theirs[::3], "pt")},
                 "step", "loss", notes=[note])


def map_picture(width):
    return tower(width, "chapters/", "forth")
