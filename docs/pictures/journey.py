"""One token's way through a small trained model, and its gradient's way back."""

from functools import cache

import numpy as np
from npgpt.blocks import block, block_backward
from npgpt.layers import (
    attention,
    cross_entropy,
    cross_entropy_backward,
    embedding,
    layer_norm,
    linear,
    position_embedding,
    softmax,
    split_qkv,
)
from npgpt.layers.layer_norm import layer_norm_backward
from npgpt.layers.linear import linear_backward
from npgpt.models import gpt2
from npgpt.text import CharacterTokenizer
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init, loss_and_grads
from npgpt.training.batches import draw_batch
from svg import Svg, printed

TEXT = "the cat sat on the mat. the cat ate. "
PROMPT, TARGET = "the ca", "he cat"
STEPS = 45


@cache
def trained():
    """A model of two blocks and eight channels that has read TEXT many times."""
    tokenizer = CharacterTokenizer.train([TEXT])
    config = gpt2.Config(tokenizer.vocab_size, context_length=12, layers=2, heads=2, channels=8)
    params = init(gpt2, config, seed=1, dtype=np.float64)
    ids = np.array(tokenizer.encode(TEXT * 20))
    state = adamw_init(params)
    for step in range(STEPS):
        inputs, targets = draw_batch(ids, 12, 8, 1, step)
        _, grads = loss_and_grads(gpt2, params, inputs, targets, config)
        grads, _ = clip_by_global_norm(grads, 1.0)
        adamw_step(params, grads, state, lr=1e-2)
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
    first = params["blocks"][0]
    normed, _ = layer_norm(x, **first["norm_1"])
    qkv, _ = linear(normed, **first["attention"]["qkv"])
    (q, k, v), _ = split_qkv(qkv, 2)
    _, (_, _, _, probs, *_) = attention(q, k, v, causal=True)
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
    return {"tokenizer": tokenizer, "ids": ids[0], "token": token_emb[0, -1],
            "position": position_emb[0, -1],
            "normed": normed[0, -1], "streams": [s[0, -1] for s in streams],
            "probs": probs[0, :, -1], "last": last[0, -1], "logits": logits[0, -1],
            "next": softmax(logits[0, -1].copy())[0], "loss": float(loss),
            "target": int(targets[0, -1]), "d_logits": d_logits[0, -1], "d_last": d_last[0, -1],
            "gradients": [g[0] for g in gradients]}


def characters(ids):
    tokenizer = walk()["tokenizer"]
    return [tokenizer.decode([int(i)]).replace(" ", "␣") for i in ids]


def rows(width, named, digits=2, kind="np"):
    """Rows of eight numbers, one below the other, each under its name."""
    phone = width < 500
    cell = (44, 26) if phone else (58, 26)
    image = Svg(width, 8 + len(named) * 54)
    for i, (name, values, note) in enumerate(named):
        y = 22 + i * 54
        image.text(0, y, name, "nm").text(8.2 * len(name) + 12, y, note, "nt")
        image.matrix(0, y + 8, [values], cell, digits, kind=kind)
    return image


def picture(width):
    """Text to ids, and the row that each of the two tables gives."""
    way = walk()
    phone = width < 500
    image = Svg(width, 84)
    gap = 54 if phone else 84
    for i, (character, number) in enumerate(zip(characters(way["ids"]), way["ids"])):
        x = 20 + i * gap
        last = i == len(way["ids"]) - 1
        image.rect(x - 16, 8, 32, 28, "box np" if last else "box")
        image.text(x, 27, character, "tok", "middle")
        image.arrow(x, 38, x, 58)
        image.text(x, 76, str(int(number)), "num", "middle")
    return image


def start(width):
    way = walk()
    return rows(width, [("token_emb", way["token"], "what it is"),
                        ("position_emb", way["position"], "where it stands"),
                        ("x", way["streams"][0], "their sum: the stream begins")])


def look(width):
    """The probabilities of both heads of the first block, from the last letter."""
    way = walk()
    phone = width < 500
    image = Svg(width, 120)
    image.matrix(56, 44, way["probs"], (46, 28) if phone else (76, 28), 2, ["head 1", "head 2"],
                 characters(way["ids"]), top=1, name="probs")
    return image


def floors(width):
    way = walk()
    names = ["after the embedding", "after block 1", "after block 2"]
    named = [("x", stream, note) for stream, note in zip(way["streams"], names)]
    return rows(width, [*named, ("normed", way["last"], "after the last norm")])


def bars(width, values, highlight, digits, signed=False):
    """One bar for each token of the vocabulary."""
    phone = width < 500
    order = np.arange(len(values))
    step = (width - 10) / len(order)
    height = 150 if not signed else 190
    base = 120 if not signed else 100
    top = np.abs(values).max()
    image = Svg(width, height)
    for i in order:
        x, size = 5 + i * step, 92 * values[i] / top
        image.rect(x, base - max(size, 0), step - 4, max(abs(size), 0.8),
                   "bar pt" if i == highlight else "bar", 2)
        word = characters([i])[0]
        image.text(x + (step - 4) / 2, base + (18 if not signed or size >= 0 else -8), word, "tok",
                   "middle")
        if not phone or i == highlight or abs(values[i]) > 0.3 * top:
            image.text(x + (step - 4) / 2, base - size + (-6 if size >= 0 else 16),
                       printed(values[i], digits), "num", "middle")
    return image


def guess(width):
    way = walk()
    return bars(width, way["next"], way["target"], 2)


def blame(width):
    way = walk()
    return bars(width, way["d_logits"], way["target"], 2, signed=True)


def back(width):
    """The gradient of the stream at the last letter, from the top to the embedding."""
    way = walk()
    names = ["above block 2", "between the blocks", "below block 1: the embedding's"]
    named = [("d_x", gradient[-1], note) for gradient, note in zip(way["gradients"], names)]
    return rows(width, [("d_normed", way["d_last"], "under the head"), *named], 3)


def spread(width):
    """How much of the gradient each letter has, on each floor: attention spreads it back."""
    way = walk()
    phone = width < 500
    image = Svg(width, 150)
    lengths = [np.linalg.norm(g, axis=-1) for g in way["gradients"]]
    names = ["top", "middle", "bottom"]
    image.matrix(64, 44, lengths, (46, 28) if phone else (76, 28), 3, names, characters(way["ids"]),
                 kind="pt", name="|d_x|")
    return image
