"""The block drawn: a stream with two branches; and how gradients fade without the stream."""

import numpy as np
from npgpt.blocks import (
    block,
    block_backward,
    mlp,
    mlp_backward,
    multi_head_attention,
    multi_head_attention_backward,
)
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.training import init
from svg import Svg, chart

DEPTH = 24


def picture(width):
    phone = width < 500
    image = Svg(width, 330)
    stream, branch = (60, 150) if phone else (150, 300)
    box_width = width - branch - (6 if phone else 130)
    image.arrow(stream, 320, stream, 14, "forth")
    image.text(stream - 12, 316, "x", "nm", "end").text(stream - 12, 24, "y", "nm", "end")
    image.text(stream - 14, 170, "stream", "nt", "end")
    for number, words, parts, low in (
            (1, "attention", ("layer_norm", "multi_head_attention"), 290),
            (3, "MLP", ("layer_norm", "mlp"), 140)):
        high = low - 96
        image.step(f"block-{number}", branch - 30, high - 6, box_width + 36, 102)
        image.line(stream, low, branch + box_width / 2, low, "forth")
        image.line(branch + box_width / 2, low, branch + box_width / 2, high, "forth")
        image.arrow(branch + box_width / 2, high, stream + 11, high, "forth")
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


def lengths(with_stream):
    """The length of the gradient after each layer, walking back from the last."""
    config = gpt2.Config(16, 16, DEPTH, 4, 32)
    params = init(gpt2, config, seed=1, dtype=np.float64)
    x = normals((2, 16, 32), 1, 0, "x")
    saved = []
    for layer in params["blocks"]:
        for name in ("qkv", "out"):
            layer["attention"][name]["weight"] = layer["attention"][name]["weight"] * 5
        for name in ("up", "down"):
            layer["feed_forward"][name]["weight"] = layer["feed_forward"][name]["weight"] * 5
        if with_stream:
            x, saved_block = block(x, layer, 4)
            saved.append(saved_block)
            continue
        attended, one = multi_head_attention(x, layer["attention"], 4, causal=True)
        x, two = mlp(attended, layer["feed_forward"])
        saved.append((one, two))
    d_x, found = normals(x.shape, 1, 0, "d"), []
    first = np.linalg.norm(d_x)
    for saved_layer in reversed(saved):
        found.append(np.linalg.norm(d_x) / first)
        if with_stream:
            d_x, _ = block_backward(d_x, saved_layer)
            continue
        one, two = saved_layer
        d_x, _ = mlp_backward(d_x, two)
        d_x, _ = multi_head_attention_backward(d_x, one)
    found.append(np.linalg.norm(d_x) / first)
    return found


def plot(width):
    depth = list(range(DEPTH + 1))
    return chart(width, {"with the stream": (depth, lengths(True), "np"),
                         "bare": (depth, lengths(False), "ink")},
                 "layers walked back", "length of the gradient, 1 at the end", y_log=True)
