"""The encoder–decoder drawn: two towers and what joins them; and what positions are worth."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from npgpt.layers import softmax
from npgpt.models import encoder_decoder
from npgpt.text.corpora.sequences import VOCAB_SIZE, as_batch, encode
from npgpt.training import init
from svg import Svg, chart

RECORD = Path(__file__).parents[1] / "records" / "encoder_decoder.json"
CONFIG = encoder_decoder.Config(VOCAB_SIZE, 6, 1, 1, 4)
TEXTS = ["bad", "hi"]
BATCH = as_batch("reverse", [encode(text) for text in TEXTS])
PARAMS = init(encoder_decoder, CONFIG, 1, np.float64)


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def worked():
    params, runs = PARAMS, record()["runs"]
    logits, _ = encoder_decoder.forward(params, BATCH["inputs"], CONFIG, mask=BATCH["mask"])
    probs, _ = softmax(logits)
    d_logits = np.zeros_like(logits)
    counted = BATCH["targets"] != -100
    for row, column in np.argwhere(counted):
        d_logits[row, column] = probs[row, column]
        d_logits[row, column, BATCH["targets"][row, column]] -= 1
    d_logits /= counted.sum()
    told = [probs[row, column, BATCH["targets"][row, column]]
            for row, column in np.argwhere(counted)]
    percent = {name: {key: 100 * run[key] for key in ("exact", "tokens", "guess")}
               for name, run in runs.items()}
    names = {
        "rows": TEXTS, "places": ["1st", "2nd", "3rd"],
        "padding": BATCH["mask"]["source"][:, 0, 0].astype(float),
        "loss": -np.log(told).mean(), "even": np.log(CONFIG.vocab_size), "percent": percent,
        "told": told[0], "vocabulary": VOCAB_SIZE, "length": runs["reverse-True"]["length"],
        "seconds": runs["reverse-True"]["processor_seconds"]}
    return {"encoder_decoder.forward": {
        "args": {"params": params, "inputs": BATCH["inputs"], "config": CONFIG,
                 "mask": BATCH["mask"]}, "d_y": d_logits, "names": names}}


def picture(width):
    """Two towers: the encoder left, the decoder right, and the memory between them."""
    phone = width < 500
    size = (width - (24 if phone else 90)) / 2
    image = Svg(width, 420)
    left, right = 0, width - size
    for x, title, parts in (
            (left, "encoder", [
                ("source", ""), ("embedding + sinusoids", "sinusoids"),
                ("attention, to all", "multi_head_attention"), ("MLP", "mlp"),
                ("layer norm", "layer_norm")]),
            (right, "decoder", [
                ("target so far", ""), ("embedding + sinusoids", "sinusoids"),
                ("attention, causal", "multi_head_attention"),
                ("cross-attention", "cross_attention"), ("MLP", "mlp"),
                ("layer norm", "layer_norm"), ("next token", "")])):
        image.text(x + size / 2, 14, title, "lab", "middle")
        for i, (words, page) in enumerate(parts):
            y = 372 - 56 * i
            if page:
                image.link(f"{page}.html")
            image.rect(x, y, size, 34, "box")
            image.text(x + size / 2, y + 21, words, "nt" if phone else "lab", "middle")
            if page:
                image.unlink()
            if i:
                image.arrow(x + size / 2, y + 56, x + size / 2, y + 36)
    image.arrow(left + size / 2, 148, left + size / 2, 128)
    image.text(left + size / 2, 120, "memory", "nm", "middle")
    between = (left + size + right) / 2         # over the encoder, down, and into the decoder
    image.line(left + size / 2 + 34, 116, between, 116)
    image.line(between, 116, between, 221)
    image.arrow(between, 221, right - 1, 221)
    return image


def problem(width):
    """Right letters against steps: with positions and without."""
    runs = record()["runs"]
    series = {}
    for words, name, style in (("reverse", "reverse-True", "att"),
                               ("no positions", "reverse-False", "ink")):
        curve = runs[name]["curve"]
        series[words] = ([row["step"] for row in curve],
                         [100 * row["tokens"] for row in curve], style)
    steps = [row["step"] for row in runs["reverse-True"]["curve"]]
    series["guess"] = (steps, [100 * runs["reverse-True"]["guess"]] * len(steps), "dim")
    return chart(width, series, "training steps", "right letters in %", y_range=(0, 105))


def plot(width):
    """Without positions: sorting is learned, reversing and copying stay at the guess."""
    runs = record()["runs"]
    series = {}
    for words, name, style in (("sort", "sort-False", "att"), ("reverse", "reverse-False", "ink"),
                               ("copy", "copy-False", "pt")):
        curve = runs[name]["curve"]
        series[words] = ([row["step"] for row in curve],
                         [100 * row["tokens"] for row in curve], style)
    longest = max(row["step"] for row in runs["sort-False"]["curve"])
    guess = 100 * runs["sort-False"]["guess"]
    return chart(width, series, "training steps, no positions", "right letters in %",
                 y_range=(0, 105), notes=[(longest, guess + 4, "guess from the multiset", "end")])
