"""The block drawn: a stream with two branches; and what a deep stack is without the stream."""

from functools import lru_cache

import numpy as np
from npgpt.blocks import (
    block,
    block_backward,
    mlp,
    mlp_backward,
    multi_head_attention,
    multi_head_attention_backward,
)
from npgpt.layers import (
    cross_entropy,
    cross_entropy_backward,
    layer_norm,
    layer_norm_backward,
    linear,
    linear_backward,
)
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.training import adamw_init, adamw_step, clip_by_global_norm, init
from svg import Svg, chart

DEPTH = 24
WORDS = ["Rex", "Tom", "him"]
CHANNELS = ["acts", "acted on", "dog", "cat"]
FEATURES = ["cat caught", "dog acts"]
X = np.array([[[1.0, -1, 1, -1], [-1, 1, -1, 1], [1, 1, -1, -1]]])
QKV = np.zeros((4, 12))
QKV[:2, 0] = 1.5           # the query: both roles, so only him asks
QKV[:2, 4] = [-1, 1]       # the key: acted on, not acting
QKV[2:, 10:] = np.eye(2)   # the value: dog and cat
OUT = np.zeros((4, 4))
OUT[2:, 2:] = 2 * np.eye(2)
ONES, ZEROS = np.ones(4), np.zeros(4)
PARAMS = {
    "norm_1": {"weight": ONES, "bias": ZEROS}, "norm_2": {"weight": ONES, "bias": ZEROS},
    "attention": {"qkv": {"weight": QKV, "bias": np.zeros(12)},
                  "out": {"weight": OUT, "bias": ZEROS}},
    "feed_forward": {"up": {"weight": np.array([[0.0, 1], [1, 0], [0, 1], [1, 0]]),
                            "bias": np.zeros(2)},
                     "down": {"weight": np.array([[-1.0, 0, 0, 0], [1, 0, 0, 0]]),
                              "bias": ZEROS}}}
D_Y = np.zeros((1, 3, 4))
D_Y[0, 2] = [0.3, 0, 0.2, -0.4]


def worked():
    names = {"words": WORDS, "channels": CHANNELS, "features": FEATURES, "him": 2, "tom": 1,
             "asks": QKV[:, [0, 4]], "wv": QKV[:, 10:], "x_in": X[0], "w_out": OUT[2:],
             "w_up": PARAMS["feed_forward"]["up"]["weight"],
             "w_down": PARAMS["feed_forward"]["down"]["weight"],
             "after": X[0] + multi_head_attention(layer_norm(X, ONES, ZEROS)[0],
                                                  PARAMS["attention"], 1, causal=True)[0][0]}
    return {"block": {"args": {"x": X, "params": PARAMS, "heads": 1}, "d_y": D_Y,
                      "names": names}}


def picture(width):
    phone = width < 500
    image = Svg(width, 330)
    stream, branch = (100, 166) if phone else (150, 300)
    box_width = width - branch - (6 if phone else 130)
    image.arrow(stream, 320, stream, 14, "ln-ink")
    image.text(stream - 12, 316, "x", "nm", "end").text(stream - 12, 24, "y", "nm", "end")
    for line, words in enumerate(("residual", "stream")):
        image.text(stream - 14, 162 + 15 * line, words, "nt", "end")
    for number, words, parts, low in (
            (1, "attention", ("layer_norm", "multi_head_attention"), 290),
            (3, "MLP", ("layer_norm", "mlp"), 140)):
        high = low - 96
        image.step(f"block-{number}", branch - 30, high - 6, box_width + 36, 102)
        image.line(stream, low, branch + box_width / 2, low, "ln-ink")
        image.line(branch + box_width / 2, low, branch + box_width / 2, high, "ln-ink")
        image.arrow(branch + box_width / 2, high, stream + 11, high, "ln-ink")
        for i, part in enumerate(parts):
            y = low - 40 - 40 * i
            image.link(f"{part}.html")
            image.rect(branch, y, box_width, 30)
            image.text(branch + box_width / 2, y + 20, part, "tok", "middle")
            image.unlink()
        image.label(0, high + 50, number, words.split() if phone else words)
        image.end()
        image.step(f"block-{number + 1}", stream - 14, high - 14, 28, 28)
        image.dot(stream, high, 10, "box")
        image.text(stream, high + 5, "+", "big", "middle")
        image.end()
    return image


def stack(channels, vocabulary=16, context=16, heads=4, dtype=np.float64):
    """A GPT-2 of 24 blocks whose matrices keep the size of what goes through them."""
    config = gpt2.Config(vocabulary, context, DEPTH, heads, channels, tied=False)
    params = init(gpt2, config, seed=1, dtype=dtype)
    for layer in params["blocks"]:
        for part in ("attention", "feed_forward"):
            for own in layer[part].values():
                weight = own["weight"]
                own["weight"] = (weight / weight.std() / len(weight) ** 0.5).astype(dtype)
    return params


def bare(x, params, heads, norms=True):
    """A block without its residual connections."""
    one = two = None
    if norms:
        x, one = layer_norm(x, **params["norm_1"])
    x, attention = multi_head_attention(x, params["attention"], heads, causal=True)
    if norms:
        x, two = layer_norm(x, **params["norm_2"])
    x, feed_forward = mlp(x, params["feed_forward"])
    return x, (one, attention, two, feed_forward)


def bare_backward(d_y, saved):
    one, attention, two, feed_forward = saved
    grads = {}
    d_x, grads["feed_forward"] = mlp_backward(d_y, feed_forward)
    if two is not None:
        d_x, grads["norm_2"] = layer_norm_backward(d_x, two)
    d_x, grads["attention"] = multi_head_attention_backward(d_x, attention)
    if one is not None:
        d_x, grads["norm_1"] = layer_norm_backward(d_x, one)
    return d_x, grads


KINDS = {"with": (block, block_backward), "without": (bare, bare_backward)}


@lru_cache(maxsize=2)
def learned(kind, steps=45, rows=8):
    """The loss of a 24-layer model that learns to repeat the token it has just read."""
    forward, backward = KINDS[kind]
    params = stack(16, vocabulary=8, context=6, heads=2, dtype=np.float32)
    table = normals((8, 16), 1, 0, "tokens").astype(np.float32)     # not trained
    positions = 0.5 * normals((6, 16), 1, 0, "positions").astype(np.float32)
    trained = {name: params[name] for name in ("blocks", "norm", "head")}
    state, draw, losses = adamw_init(trained), np.random.default_rng(0), []
    for _ in range(steps):
        ids = draw.integers(0, 8, (rows, 6))
        x, saved = table[ids] + positions, []
        for layer in trained["blocks"]:
            x, saved_block = forward(x, layer, 2)
            saved.append(saved_block)
        normed, saved_norm = layer_norm(x, **trained["norm"])
        logits, saved_head = linear(normed, **trained["head"])
        loss, saved_loss = cross_entropy(logits, ids)
        losses.append(float(loss))
        d_normed, d_head = linear_backward(cross_entropy_backward(1.0, saved_loss), saved_head)
        d_x, d_norm = layer_norm_backward(d_normed, saved_norm)
        d_blocks = []
        for saved_block in reversed(saved):
            d_x, d_block = backward(d_x, saved_block)
            d_blocks.insert(0, d_block)
        grads, _ = clip_by_global_norm({"blocks": d_blocks, "norm": d_norm, "head": d_head}, 1.0)
        adamw_step(trained, grads, state, 1e-2)
    return losses


def problem(width):
    ours, without = learned("with"), learned("without")
    steps = list(range(len(ours)))
    return chart(width, {"with the sums": (steps, ours, "att"), "without": (steps, without, "ink")},
                 "training steps", "loss", y_range=(0, 2.6),
                 notes=[(len(steps) * 0.55, 2.28, f"ln 8 = {np.log(8):.2f}", "start")])


@lru_cache(maxsize=1)
def alike():
    """{kind: how alike the 16 words of a text are after each layer, mean cosine}."""
    found = {}
    for kind, (forward, _) in KINDS.items():
        x, values = normals((1, 16, 32), 1, 0, "x"), []
        for layer in [None, *stack(32)["blocks"]]:
            if layer is not None:
                x, _ = forward(x, layer, 4)
            unit = x[0] / np.linalg.norm(x[0], axis=-1, keepdims=True)
            values.append(float((unit @ unit.T)[np.triu_indices(16, 1)].mean()))
        found[kind] = values
    return found


def plot_alike(width):
    depth = list(range(DEPTH + 1))
    return chart(width, {"with the sums": (depth, alike()["with"], "att"),
                         "without": (depth, alike()["without"], "ink")},
                 "layers", "how alike the words are (mean cosine)", y_range=(-0.05, 1.05))


@lru_cache(maxsize=2)
def lengths(kind):
    """The length of the gradient after each layer, walking back from the last."""
    forward, backward = KINDS[kind]
    x, saved, found = normals((2, 16, 32), 1, 0, "x"), [], [1.0]
    for layer in stack(32)["blocks"]:
        x, saved_block = forward(x, layer, 4, *([False] if kind == "without" else []))
        saved.append(saved_block)
    d_x = normals(x.shape, 1, 0, "d")
    first = np.linalg.norm(d_x)
    for saved_block in reversed(saved):
        d_x, _ = backward(d_x, saved_block)
        found.append(float(np.linalg.norm(d_x) / first))
    return found


def plot(width):
    depth = list(range(DEPTH + 1))
    return chart(width, {"residual connections": (depth, lengths("with"), "att"),
                         "bare": (depth, lengths("without"), "ink")},
                 "layers walked back", "length of the gradient, 1 at the end", y_log=True)
