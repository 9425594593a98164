"""One token's way through a small trained model, and its gradient's way back."""

from functools import cache

import numpy as np
from npgpt.blocks import block, block_backward
from npgpt.checking.attention_maps import attention_maps
from npgpt.layers import (
    cross_entropy,
    cross_entropy_backward,
    embedding,
    layer_norm,
    linear,
    position_embedding,
    softmax,
)
from npgpt.layers.layer_norm import layer_norm_backward
from npgpt.layers.linear import linear_backward
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init, loss_and_grads
from svg import Svg, printed

NAMES = ("tom", "tim", "sam", "sid", "pam", "pip")
LINES = [f"{name}? {name}!" for name in NAMES]
PROMPT, TARGET = "tom? t", "om? to"
STEPS = 90


@cache
def trained():
    """A model of two blocks and eight channels that has read the six lines 90 times."""
    tokenizer = CharacterTokenizer.train(LINES)
    config = gpt2.Config(tokenizer.vocab_size, context_length=8, layers=2, heads=2, channels=8)
    params = init(gpt2, config, seed=1, dtype=np.float64)
    rows = np.array([tokenizer.encode(line) for line in LINES])
    state = adamw_init(params)
    for step in range(STEPS):
        _, grads = loss_and_grads(gpt2, params, rows[:, :-1], rows[:, 1:], config)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state, lr=1e-2 * min(1, (step + 1) / 20))
    return tokenizer, config, params


@cache
def walk():
    """Every stop of the last token of PROMPT, forward and back."""
    tokenizer, config, params = trained()
    ids = np.array([tokenizer.encode(PROMPT)])
    targets = np.array([tokenizer.encode(TARGET)])
    token_emb, _ = embedding(ids, **params["tokens"])
    position_emb, _ = position_embedding(ids, **params["positions"])
    x, streams, saved = token_emb + position_emb, [], []
    streams.append(x)
    for layer in params["blocks"]:
        x, more = block(x, layer, config.heads)
        streams.append(x)
        saved.append(more)
    last, saved_norm = layer_norm(x, **params["norm"])
    logits, saved_head = linear(last, params["tokens"]["weight"].T)
    only = np.full_like(targets, -100)
    only[0, -1] = targets[0, -1]
    loss, saved_loss = cross_entropy(logits, only)
    d_logits = cross_entropy_backward(1.0, saved_loss)
    d_last, _ = linear_backward(d_logits, saved_head)
    d_x, _ = layer_norm_backward(d_last, saved_norm)
    gradients = [d_x]
    for more in reversed(saved):
        d_x, _ = block_backward(d_x, more)
        gradients.append(d_x)
    maps = attention_maps(gpt2, params, tokenizer.encode(PROMPT), config)
    return {"tokenizer": tokenizer, "ids": ids[0], "token": token_emb[0, -1],
            "position": position_emb[0, -1], "streams": [s[0, -1] for s in streams],
            "probs": np.concatenate([each[:, -1] for each in maps]), "last": last[0, -1],
            "next": softmax(logits[0, -1].copy())[0], "loss": float(loss),
            "target": int(targets[0, -1]), "d_logits": d_logits[0, -1], "d_last": d_last[0, -1],
            "gradients": [g[0] for g in gradients]}


def characters(ids):
    tokenizer = walk()["tokenizer"]
    return [tokenizer.decode([int(i)]).replace(" ", "␣") for i in ids]


def rows(width, named, digits=2, signed=False):
    """Rows of eight numbers, one below the other, each under its name: grey by size, a
    gradient in the colour of its sign."""
    phone = width < 500
    cell, height = (44 if phone else 58), 26
    image = Svg(width, 8 + len(named) * 54)
    for i, (name, values, note) in enumerate(named):
        y, biggest = 22 + i * 54, np.abs(values).max()
        image.text(0, y, name, "nm").text(8.2 * len(name) + 12, y, note, "nt")
        for j, value in enumerate(values):
            kind = ("up" if value > 0 else "dn") if signed else "grey"
            image.rect(j * cell, y + 8, cell - 2, height - 2, f"cellbox {kind}", 3,
                       f"--share:{abs(value) / biggest:.3f}")
            image.text((j + 0.5) * cell - 1, y + 8 + height / 2 + 3, printed(value, digits),
                       "val", "middle")
    return image


def picture(width):
    """The text and its ids."""
    way = walk()
    phone = width < 500
    image = Svg(width, 84)
    gap = 54 if phone else 84
    for i, (character, number) in enumerate(zip(characters(way["ids"]), way["ids"])):
        x = 20 + i * gap
        last = i == len(way["ids"]) - 1
        image.rect(x - 16, 8, 32, 28, "box ink" if last else "box")
        image.text(x, 27, character, "tok", "middle")
        image.arrow(x, 38, x, 58)
        image.text(x, 76, str(int(number)), "num", "middle")
    return image


def start(width):
    way = walk()
    return rows(width, [("token_emb", way["token"], "row of the letter t"),
                        ("position_emb", way["position"], "row of position 5"),
                        ("x", way["streams"][0], "their sum: the input of block 1")])


def look(width):
    """The attention weights of all four heads, from the last letter."""
    way = walk()
    fraction = way["probs"][2, PROMPT.index("o")]
    if fraction < 0.9:
        raise ValueError(f"head 1 of block 2 gives the o {fraction:.2f} only: the page says most")
    phone = width < 500
    left, cell = (112, 40) if phone else (130, 76)
    image = Svg(width, 46 + 4 * 28)
    names = [f"block {b}, head {h}" for b in (1, 2) for h in (1, 2)]
    image.matrix(left, 40, way["probs"], (cell, 28), 2, names, top=1, kind="att")
    for j, character in enumerate(characters(way["ids"])):
        image.text(left + (j + 0.5) * cell, 30, character, "tok", "middle")
    image.text(0, 12, "probs", "nm").text(52, 12, "of the last letter", "nt")
    return image


def stream(width):
    way = walk()
    names = ["after the embedding", "after block 1", "after block 2"]
    named = [("x", stream, note) for stream, note in zip(way["streams"], names)]
    return rows(width, [*named, ("normed", way["last"], "after the last layer norm")])


def bars(width, values, kinds):
    """One bar for each token of the vocabulary, with its number where it can be seen."""
    phone = width < 500
    step = (width - 10) / len(values)
    signed = min(values) < 0
    top = np.abs(values).max()
    base = 120 if not signed else 24 + 92 * max(values) / top
    image = Svg(width, base + (30 if not signed else 92 + 40))
    image.line(5, base, width - 9, base, "axis")
    for i, value in enumerate(values):
        x, size = 5 + i * step, 92 * value / top
        image.rect(x, base - max(size, 0), step - 4, max(abs(size), 0.8),
                   f"cellbox {kinds[i]}", 2, "--share:1")
        middle = x + (step - 4) / 2
        image.text(middle, base + (18 if size >= 0 else -8), characters([i])[0], "tok", "middle")
        if abs(value) > 0.02 * top or not phone:
            image.text(middle, base - size + (-6 if size >= 0 else 16), printed(value, 2), "num",
                       "middle")
    return image


def guess(width):
    way = walk()
    return bars(width, way["next"], ["att"] * len(way["next"]))


def logit_gradient(width):
    way = walk()
    return bars(width, way["d_logits"], ["up" if v > 0 else "dn" for v in way["d_logits"]])


def back(width):
    """The gradient of the stream at the last letter, from the top to the embedding."""
    way = walk()
    names = ["after block 2", "after block 1", "after the embedding"]
    named = [("d_x", gradient[-1], note) for gradient, note in zip(way["gradients"], names)]
    return rows(width, [("d_normed", way["d_last"], "after the last layer norm"), *named],
                2, signed=True)


def spread(width):
    """How much of the gradient each letter has, at each depth."""
    way = walk()
    phone = width < 500
    left, cell = (128, 38) if phone else (170, 70)
    image = Svg(width, 46 + 3 * 28)
    lengths = [np.linalg.norm(g, axis=-1) for g in way["gradients"]]
    names = ["after block 2", "after block 1", "after embedding" if phone
             else "after the embedding"]
    image.matrix(left, 40, lengths, (cell, 28), 2, names, kind="att")
    for j, character in enumerate(characters(way["ids"])):
        image.text(left + (j + 0.5) * cell, 30, character, "tok", "middle")
    image.text(0, 12, "‖d_x‖", "nm").text(56, 12, "the length of each gradient", "nt")
    return image
