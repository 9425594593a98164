"""The post-norm block drawn: norms on the stream; how large the stream becomes without them, and
what 48 norms leave of the direct gradient."""

import json
from functools import lru_cache

import numpy as np
from block import DOCS, load
from npgpt.blocks import block, post_norm_block
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.training import init
from svg import Svg, chart

EXAMPLE = DOCS / "pictures" / "block.py"
X, PARAMS, D_Y, WORDS, CHANNELS = (
    load(EXAMPLE, name) for name in ("X", "PARAMS", "D_Y", "WORDS", "CHANNELS"))
DEPTH = 24


def worked():
    made, stream = record(), streams()
    last = {key: [run[-1] for run in runs] for key, runs in made["depth"].items()}
    names = {"words": WORDS, "channels": CHANNELS, "him": 2, "tom": 1, "x_in": X[0],
             "size": {name: found["size"] for name, found in stream.items()},
             "part": {name: found["part"] for name, found in stream.items()},
             "left_direct": direct()[-1], "unlucky": last["post-norm, no warm-up"],
             "warmed": last["post-norm, warm-up"], "pre": last["pre-norm, no warm-up"],
             "pre_out": load(EXAMPLE, "block")(X, PARAMS, 1)[0][0],
             "tries": len(made["more_seeds"]),
             **{key: made[key] for key in ("command", "date", "commit", "rate", "warmup")}}
    return {"post_norm_block": {"args": {"x": X, "params": PARAMS, "heads": 1}, "d_y": D_Y,
                                "names": names}}


@lru_cache(maxsize=1)
def record():
    return json.loads((DOCS / "records" / "depth.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def blocks_at_birth():
    """24 blocks whose matrices keep the size of what goes through them."""
    config = gpt2.Config(16, 16, DEPTH, 4, 32, tied=False)
    params = init(gpt2, config, seed=1, dtype=np.float64)["blocks"]
    for layer in params:
        for part in ("attention", "feed_forward"):
            for own in layer[part].values():
                own["weight"] = own["weight"] / own["weight"].std() / len(own["weight"]) ** 0.5
    return params


@lru_cache(maxsize=1)
def streams():
    """{order: the stream's size after each block, and how much of its length each block
    changes}."""
    found = {}
    for name, run in (("pre-norm", block), ("post-norm", post_norm_block)):
        x = normals((2, 16, 32), 1, 0, "x")
        sizes, parts = [float(x.std())], []
        for layer in blocks_at_birth():
            y, _ = run(x, layer, 4)
            parts.append(float(np.linalg.norm(y - x) / np.linalg.norm(y)))
            sizes.append(float(y.std()))
            x = y
        found[name] = {"size": sizes, "part": parts}
    return found


@lru_cache(maxsize=1)
def direct():
    """What each further norm leaves of the gradient that goes past all branches: the product
    of 1/σ, from the top downwards, mean over the positions."""
    x, inverse = normals((2, 16, 32), 1, 0, "x"), []
    for layer in blocks_at_birth():
        x, (_, saved_norm_1, _, saved_norm_2) = post_norm_block(x, layer, 4)
        inverse += [saved_norm_1[1], saved_norm_2[1]]
    left, found = 1.0, [1.0]
    for one in reversed(inverse):
        left = left * one
        found.append(float(np.mean(left)))
    return found


def problem(width):
    blocks = np.arange(DEPTH + 1)
    return chart(width, {name: (blocks, found["size"], style) for (name, found), style in zip(
        streams().items(), ("ink", "att"))}, "blocks", "standard deviation of the stream",
        y_range=(0, max(streams()["pre-norm"]["size"]) * 1.1))


def plot(width):
    return chart(width, {"post-norm": (np.arange(2 * DEPTH + 1), direct(), "att"),
                         "pre-norm": ((0, 2 * DEPTH), (1.0, 1.0), "ink")},
                 "sums walked back", "what is left of the direct gradient", y_log=True)


def curves(width):
    made = record()
    steps = np.arange(0, made["steps"] + 1, made["every"])
    series = {}
    for key, label, style in (("post-norm, no warm-up", "at full rate", "dim"),
                              ("post-norm, warm-up", "with warm-up", "att"),
                              ("pre-norm, no warm-up", "pre-norm", "ink")):
        for i, run in enumerate(made["depth"][key]):
            series[" " * bool(i) + label] = (steps, run, style)
    return chart(width, series, "step", "validation loss in nats", y_range=(1.9, 4.2))


def picture(width):
    phone = width < 500
    image = Svg(width, 330)
    stream, branch = (100, 166) if phone else (150, 300)
    box_width = width - branch - (6 if phone else 130)
    image.arrow(stream, 320, stream, 14, "ln-ink")
    image.text(stream - 12, 316, "x", "nm", "end").text(stream - 12, 24, "y", "nm", "end")
    for number, words, part, low in ((1, "attention", "multi_head_attention", 290),
                                     (3, "MLP", "mlp", 148)):
        high = low - 62
        image.step(f"post_norm_block-{number}", branch - 30, high - 6, box_width + 36, 70)
        image.line(stream, low, branch + box_width / 2, low, "ln-ink")
        image.line(branch + box_width / 2, low, branch + box_width / 2, high, "ln-ink")
        image.arrow(branch + box_width / 2, high, stream + 11, high, "ln-ink")
        image.link(f"{part}.html")
        image.rect(branch, low - 46, box_width, 30)
        image.text(branch + box_width / 2, low - 26, part, "tok", "middle")
        image.unlink()
        image.label(0, high + 34, number, words)
        image.end()
        image.step(f"post_norm_block-{number + 1}", stream - 62, high - 62, 124, 76)
        image.dot(stream, high, 10, "box")
        image.text(stream, high + 5, "+", "big", "middle")
        image.link("layer_norm.html")
        image.rect(stream - 52, high - 52, 104, 30)
        image.text(stream, high - 32, "layer_norm", "tok", "middle")
        image.unlink()
        image.end()
    return image
