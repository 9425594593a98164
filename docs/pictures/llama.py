"""Llama drawn: its block beside GPT-2's, one example, and what each of five changes is worth."""

import json
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np
from gpt2 import box
from npgpt.blocks import gated_mlp, grouped_query_attention
from npgpt.families import gpt2 as gpt2_family
from npgpt.families import llama as family
from npgpt.layers import attention, rms_norm, rope, rope_angles, softmax
from npgpt.models import llama
from npgpt.tree import tree_leaves
from svg import Svg, chart, printed

RECORD = Path(__file__).parents[1] / "records" / "llama.json"
VOCABULARY = ["Rex", "Tom", "him", "barked", "fled"]
CHANNELS = ["name", "pronoun", "dog", "cat"]
TOKENS = np.array([[1.0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
QUERY, KEY, VALUE = np.zeros((4, 2)), np.zeros((4, 2)), np.zeros((4, 2))
QUERY[1] = [2, -3]      # a pronoun asks, and most of one position back
KEY[0, 0] = 1           # a name answers
VALUE[2:] = np.eye(2)   # with its animal
OUT, GATE, UP, DOWN = (np.zeros(shape) for shape in ((2, 4), (4, 2), (4, 2), (2, 4)))
OUT[:, 2:] = UP[2:] = DOWN[:, 2:] = np.eye(2)
GATE[1] = 2             # open for a pronoun only
HEAD = np.zeros((4, 5))
HEAD[2, 3] = HEAD[3, 4] = 2    # a dog barked, a cat fled
ONES = np.ones(4)
BLOCK = {
    "norm_1": {"weight": ONES}, "norm_2": {"weight": ONES},
    "attention": {name: {"weight": weight} for name, weight in
                  (("q", QUERY), ("k", KEY), ("v", VALUE), ("out", OUT))},
    "feed_forward": {"gate": {"weight": GATE}, "up": {"weight": UP}, "down": {"weight": DOWN}}}
PARAMS = {"tokens": {"weight": TOKENS}, "blocks": [BLOCK], "norm": {"weight": ONES},
          "head": {"weight": HEAD}}
CONFIG = llama.Config(5, 3, 1, 1, 1, 4, head_size=2, hidden=2, tied=False)
IDS = np.array([[0, 1, 2]])     # Rex, Tom, him
HIM, TOM, FLED = 2, 1, 4
COS, SIN = rope_angles(np.arange(3)[None], 2, CONFIG.theta, TOKENS)


def probabilities():
    """Where each word looks: after the norm, the rotation and softmax."""
    normed, _ = rms_norm(TOKENS[IDS], ONES)
    q, _ = rope((normed @ QUERY)[:, None], COS, SIN)
    k, _ = rope((normed @ KEY)[:, None], COS, SIN)
    return attention(q, k, (normed @ VALUE)[:, None], causal=True)[1][3][0, 0]


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def numbers_in(tree):
    return sum(prod(weight.shape) for _, weight in tree_leaves(tree))


def worked():
    logits, _ = llama.forward(PARAMS, IDS, CONFIG)
    probs, _ = softmax(logits)
    swapped, _ = softmax(llama.forward(PARAMS, IDS[:, [1, 0, 2]], CONFIG)[0])
    d_logits = np.zeros_like(logits)
    d_logits[0, HIM] = probs[0, HIM] - np.eye(5)[FLED]
    x = TOKENS[IDS]
    attended, _ = grouped_query_attention(rms_norm(x, ONES)[0], BLOCK["attention"], 1, 1, COS, SIN,
                                          CONFIG.eps, causal=True)
    after = x + attended
    normed_2, _ = rms_norm(after, ONES)
    said = record()
    losses = {name: [lines[-1] for lines in runs] for name, runs in said["validation"].items()}
    C = 768
    blocks = {"GPT-2": gpt2_family.weights(gpt2_family.Config(50_257, 1024, 12, 12, C)),
              "Llama": family.weights(family.Config(50_257, 1024, 12, 12, 12, C))}
    names = {
        "words": [VOCABULARY[i] for i in IDS[0]], "vocabulary": VOCABULARY, "channels": CHANNELS,
        "him": HIM, "tom": TOM, "table": TOKENS, "w_head": HEAD,
        "qkv": np.hstack([QUERY, KEY, VALUE]), "gate_up": np.hstack([GATE, UP]),
        "sixes": ["q", "q", "k", "k", "v dog", "v cat"],
        "fours": ["gate dog", "gate cat", "up dog", "up cat"], "x_in": x[0], "after": after[0],
        "p": probabilities(),
        "gated": gated_mlp(normed_2, BLOCK["feed_forward"])[0][0],
        "probs": probs[0], "swapped": swapped[0, HIM], "orders": ["Rex Tom him", "Tom Rex him"],
        "said": said, "losses": losses, "changes": list(losses), "seeds": ["seed 1", "seed 2"],
        "counts": said["weights"],
        "block_sizes": {name: numbers_in(tree["blocks"][0]) for name, tree in blocks.items()},
        "caught": next(step for step, loss in zip(steps(), said["validation"]["no biases"][0])
                       if loss < losses["GPT-2"][0])}
    d_y = np.zeros((1, 3, 4))
    d_y[0, HIM] = [0, 0, 0.3, -0.4]
    return {"llama_block": {"args": {"x": x, "params": BLOCK, "heads": 1, "kv_heads": 1,
                                     "cos": COS, "sin": SIN, "eps": CONFIG.eps},
                            "d_y": d_y, "names": names},
            "llama.forward": {"args": {"params": PARAMS, "ids": IDS, "config": CONFIG},
                              "d_y": d_logits, "names": names}}


def steps():
    said = record()
    return list(range(0, said["steps"] + 1, said["every"]))


def problem(width):
    """Validation loss of GPT-2 and of Llama, two seeds each."""
    series = {}
    for name, words, style in (("GPT-2", "GPT-2", "ink"), ("no biases", "Llama", "att")):
        for i, losses in enumerate(record()["validation"][name]):
            series[" " * i + words] = (steps(), losses, style)
    return chart(width, series, "training steps", "validation loss in nats", y_range=(1, 4))


def ladder(width):
    """The last validation loss after each change, a dot for each seed."""
    said = record()
    phone = width < 500
    left, right = (112, width - 78) if phone else (140, width - 100)
    names = list(said["validation"])
    image = Svg(width, 60 + 40 * len(names))
    low, high = 1.0, 2.1

    def x(value):
        return left + (value - low) / (high - low) * (right - left)

    bottom = 36 + 40 * len(names)
    for value in (1.0, 1.5, 2.0):
        image.line(x(value), 30, x(value), bottom, "axis")
        image.text(x(value), bottom + 18, printed(value), "nt", "middle")
    image.text(left, 16, "loss, two seeds", "nt")
    image.text(width, 16, "weights", "nt", "end")
    for i, name in enumerate(names):
        y = 54 + 40 * i
        image.text(left - 10, y + 4, f"+ {name}" if i else name, "lab", "end")
        losses = [lines[-1] for lines in said["validation"][name]]
        image.line(x(min(losses)), y, x(max(losses)), y, "ln-att")
        for loss in losses:
            image.dot(x(loss), y, 5, "att-o")
        image.text(x(np.mean(losses)), y - 10, f"{np.mean(losses):.2f}", "num", "middle")
        image.text(width, y + 4, f"{said['weights'][name]:,}", "num", "end")
    return image


def tower(image, x, width, rows, title):
    """A block with what stands below and above it; rows: (y, words, page)."""
    middle = x + width / 2
    image.text(middle, 16, title, "lab", "middle")
    image.rect(x - 4, 110, width + 8, 356, "box", 12)
    image.arrow(middle, 500, middle, 30, "ln-ink")
    for y in (150, 312):
        image.line(middle, y + 130, x + width - 4, y + 130, "ln-ink")
        image.line(x + width - 4, y + 130, x + width - 4, y - 10, "ln-ink")
        image.arrow(x + width - 4, y - 10, middle + 10, y - 10, "ln-ink")
        image.dot(middle, y - 10, 9, "box")
        image.text(middle, y - 5, "+", "lab", "middle")
    for y, parts in rows:
        each = (width - 24 - 6 * (len(parts) - 1)) / len(parts)
        for i, (words, page, new) in enumerate(parts):
            box(image, x + 12 + i * (each + 6), y, each, words, page,
                kind="box ink" if new else "box")


def picture(width):
    """GPT-2's block and Llama's side by side; what is new has a dark border."""
    phone = width < 500
    gap = 14 if phone else 50
    column = (width - gap) / 2 - 6
    image = Svg(width, 540)
    old = [(496, [("tokens", "embedding", 0), ("places" if phone else "positions",
                                              "position_embedding", 0)]),
           (394, [("layer norm", "layer_norm", 0)]),
           (344, [("multi-head", "multi_head_attention", 0)]),
           (232, [("layer norm", "layer_norm", 0)]), (182, [("MLP", "mlp", 0)]),
           (62, [("layer norm", "layer_norm", 0)])]
    new = [(496, [("tokens", "embedding", 0)]), (394, [("RMS norm", "rms_norm", 1)]),
           (344, [("RoPE", "rope", 1), ("grouped", "grouped_query_attention", 1)]),
           (232, [("RMS norm", "rms_norm", 1)]), (182, [("gated MLP", "swiglu", 1)]),
           (62, [("RMS norm", "rms_norm", 1)])]
    tower(image, 4, column, old, "GPT-2")
    tower(image, 4 + column + 6 + gap, column, new, "Llama")
    return image
