"""Grouped-query attention drawn: the cache against its heads, what reading it costs, one
example, and the gradient of a shared key."""

import time
from functools import lru_cache
from math import prod

import numpy as np
from multi_head_attention import CHANNELS, POSITIONS, SIZE, SYMBOLS, WORDS, X, asked, signed
from npgpt.blocks import grouped_query_attention, grouped_query_attention_backward
from npgpt.families import llama
from npgpt.layers import (
    attention,
    attention_backward,
    linear,
    merge_heads,
    repeat_heads,
    repeat_heads_backward,
    softmax,
    split_heads,
)
from npgpt.training import adamw_init, adamw_step
from npgpt.tree import tree_leaves
from svg import Svg, chart

HEADS, KV_HEADS, HIM, TOM = 4, 2, 2, 1
QUERIES, KEYS, VALUES, OUT = np.zeros((4, 8)), np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((8, 4))
QUERIES[1, 1] = QUERIES[0, 2] = -4      # head 1: who is acted on? head 2: who acts?
QUERIES[0, 4] = QUERIES[1, 7] = -4      # head 3: who is a dog? head 4: who is a cat?
QUERIES[1, 3] = QUERIES[1, 6] = 2       # head 2: not who is acted on; head 4: not who is a dog
KEYS[:2, :2] = KEYS[2:, 2:] = np.eye(2)       # group 1 is found by its role, 2 by its animal
VALUES[2:, :2] = VALUES[:2, 2:] = np.eye(2)   # group 1 hands over the animal, 2 the role
OUT[:2, 2:] = OUT[6:, :2] = np.eye(2)         # him is what is acted on, and does what a cat does
OUT[2:4, 2:] = OUT[4:6, :2] = -0.5 * np.eye(2)  # and not what acts, nor what a dog does
PARAMS = {name: {"weight": weight} for name, weight in
          (("q", QUERIES), ("k", KEYS), ("v", VALUES), ("out", OUT))}
COS, SIN = np.ones((1, 1, 3, 1)), np.zeros((1, 1, 3, 1))   # all at position 0: no rotation
D_Y = np.zeros((1, 3, 4))
D_Y[0, 2] = [0, -0.6, 0.2, -0.4]


@lru_cache(maxsize=1)
def inside():
    """What the block's steps work out: q, k and v, the shares, and backward's d_k by head."""
    q, k, v = (split_heads(linear(X, **PARAMS[name])[0], heads)[0]
               for name, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)))
    k4, saved_repeat = repeat_heads(k, HEADS)
    y, saved = attention(q, k4, repeat_heads(v, HEADS)[0], causal=True)
    d_merged = D_Y @ OUT.T
    d_attended = split_heads(d_merged, HEADS)[0]
    d_q, d_k4, d_v4 = attention_backward(d_attended, saved)
    tiled, _ = attention(q, np.tile(k, (1, 2, 1, 1)), np.tile(v, (1, 2, 1, 1)), causal=True)
    return {"q": q, "k": k, "v": v, "k4": k4, "probs": saved[3][0], "d_k4": d_k4, "d_v4": d_v4,
            "d_k": repeat_heads_backward(d_k4, saved_repeat), "y": y,
            "tiled": merge_heads(tiled)[0][0] @ OUT}


def config(kv_heads, context=131_072):
    """Llama 3.1 of 8 billion weights, with so many key and value heads."""
    return llama.Config(128_256, context, 32, 32, kv_heads, 4096, hidden=14_336, tied=False)


def cached(kv_heads, tokens):
    """Bytes of a cache for so many tokens, two bytes a number."""
    shapes = llama.cache_shapes(config(kv_heads, tokens), 1)
    return 2 * sum(prod(shape) for _, shape in tree_leaves(shapes))


def weighs(kv_heads=8):
    return 2 * sum(prod(weight.shape) for _, weight in tree_leaves(llama.weights(config(kv_heads))))


TOKENS = [1024, 4096, 16_384, 65_536, 131_072]


def worked():
    values = inside()
    found = learned()
    dogcat, roles = ["dog", "cat"], ["acts", "acted on"]
    names = {"words": WORDS, "channels": CHANNELS, "him": HIM, "tom": TOM, "roles": roles,
             "dogcat": dogcat, "heads4": [f"head {i}" for i in range(1, 5)],
             "h8": ["h1", "h1", "h2", "h2", "h3", "h3", "h4", "h4"],
             "g4": ["g1 acts", "g1 on", "g2 dog", "g2 cat"],
             "v4": ["g1 dog", "g1 cat", "g2 acts", "g2 on"],
             "found8": ["1 dog", "1 cat", "2 dog", "2 cat", "3 acts", "3 on", "4 acts", "4 on"],
             "wq": QUERIES, "wk": KEYS, "wv": VALUES, "wo": OUT, "p": values["probs"],
             "k2": values["k"][0], "v2": values["v"][0], "dk4": values["d_k4"][0],
             "dk2": values["d_k"][0], "tiled": values["tiled"],
             "GB": [[cached(K, T) / 1e9 for T in TOKENS] for K in (32, 8, 1)],
             "tokens": [f"{T:,}" for T in TOKENS], "ks": ["K = 32", "K = 8", "K = 1"],
             "weights_GB": weighs() / 1e9, "one": {K: cached(K, 1) / 1024 for K in (32, 8, 1)},
             "sizes": {K: found[K][1] for K in found}}
    args = {"x": X, "params": PARAMS, "heads": HEADS, "kv_heads": KV_HEADS, "cos": COS,
            "sin": SIN, "eps": 1e-5, "causal": True}
    return {"grouped_query_attention": {"args": args, "d_y": D_Y, "names": names},
            "repeat_heads": {"args": {"x": values["k"], "heads": HEADS}, "d_y": values["d_k4"],
                             "names": names}}


def problem(width):
    series = {f"K = {K}": (TOKENS, [cached(K, T) / 1e9 for T in TOKENS], style)
              for K, style in ((32, "ink"), (8, "att"), (1, "dim"))}
    line = weighs() / 1e9
    series[" weights"] = ((TOKENS[0], TOKENS[-1]), (line, line), "dim")
    return chart(width, series, "tokens read", "cache of one text in GB", x_log=True, y_log=True,
                 x_ticks=[1024, 8192, 65_536], notes=[(TOKENS[0], line * 1.25,
                                                      f"all weights: {line:.0f} GB", "start")])


COUNTS = [1, 2, 4, 8, 16, 32]


@lru_cache(maxsize=1)
def reading(length=4096, D=64, seed=0):
    """Milliseconds of attention for one new token of 32 heads, for each number of key and value
    heads; every key and value is read once, by all the queries of its group together."""
    draw = np.random.default_rng(seed)
    q = draw.normal(size=(32, D)).astype(np.float32)
    cache = draw.normal(size=(2, 32, length, D)).astype(np.float32)
    best = dict.fromkeys(COUNTS, np.inf)
    for _ in range(12):
        for K in COUNTS:
            k, v = cache[:, :K]
            start = time.perf_counter()
            scores = q.reshape(K, 32 // K, D) @ k.swapaxes(-1, -2) / D**0.5
            softmax(scores)[0] @ v
            best[K] = min(best[K], time.perf_counter() - start)
    return [1000 * seconds for seconds in best.values()]


def plot(width):
    return chart(width, {"one token’s attention": (COUNTS, reading(), "att")},
                 "key and value heads, K", "milliseconds", x_log=True, x_ticks=COUNTS,
                 y_range=(0, 1.1 * max(reading())))


EVERY = 10


@lru_cache(maxsize=1)
def learned(steps=120, count=32, seed=0, D=4):
    """{K: (right answers in % at every 10th step, weights)} of one layer with four heads that
    learns to answer two questions at once."""
    found = {}
    cos, sin = np.ones((1, 1, POSITIONS + 1, D // 2)), np.zeros((1, 1, POSITIONS + 1, D // 2))
    for K in (4, 2, 1):
        draw = np.random.default_rng(seed)
        shapes = {"q": (SIZE, 4 * D), "k": (SIZE, K * D), "v": (SIZE, K * D), "out": (4 * D, SIZE)}
        params = {name: {"weight": 0.7 * draw.normal(size=shape) / SIZE**0.5}
                  for name, shape in shapes.items()}
        state, curve = adamw_init(params), []
        test, answers = asked(np.random.default_rng(9), 128)
        for step in range(steps + 1):
            if step % EVERY == 0:
                y, _ = grouped_query_attention(test, params, 4, K, cos, sin, 1e-5)
                guess = y[:, -1, :2 * SYMBOLS].reshape(-1, 2, SYMBOLS).argmax(-1)
                curve.append(100 * (guess == answers).mean())
            x, target = asked(draw, count)
            y, saved = grouped_query_attention(x, params, 4, K, cos, sin, 1e-5)
            probs, _ = softmax(y[:, -1, :2 * SYMBOLS].reshape(count, 2, SYMBOLS))
            d_y = np.zeros_like(y)
            d_y[:, -1, :2 * SYMBOLS] = (probs - np.eye(SYMBOLS)[target]).reshape(count, -1) / count
            _, grads = grouped_query_attention_backward(d_y, saved)
            adamw_step(params, grads, state, 0.03, weight_decay=0)
        found[K] = curve, sum(each["weight"].size for each in params.values())
    return found


def plot_learned(width):
    found, styles = learned(), {4: "ink", 2: "att", 1: "dim"}
    steps = [EVERY * i for i in range(len(found[4][0]))]
    return chart(width, {f"K = {K}": (steps, found[K][0], styles[K]) for K in styles},
                 "training steps", "right answers in %", y_range=(0, 105))


def picture(width):
    """Four heads of queries; four, two or one of keys and values."""
    phone = width < 500
    gap = 14 if phone else 46
    panel = (width - 2 * gap) / 3
    step = panel / 4
    box = min(step - 4, 40)
    image = Svg(width, 214)
    titles = {4: ("multi-head", "K = H = 4"), 2: ("grouped", "K = 2"), 1: ("multi-query", "K = 1")}
    for number, (K, (name, note)) in enumerate(titles.items()):
        left = number * (panel + gap)
        kind = "att" if K == 2 else "grey"
        image.text(left + panel / 2, 14, name, "lab", "middle")
        image.text(left + panel / 2, 32, note, "nt", "middle")
        image.text(left + panel / 2, 58, "queries", "nt", "middle")
        image.text(left + panel / 2, 206, "keys, values", "nt", "middle")
        for head in range(4):
            x = left + (head + 0.5) * step
            group = head // (4 // K)
            at = left + (group + 0.5) * panel / K
            image.line(x, 68 + box, at, 186 - box, "ln-att" if K == 2 else "ln-dim")
            image.rect(x - box / 2, 68, box, box, f"cellbox {kind}", 4, "--share:.3")
            image.text(x, 68 + box / 2 + 4, str(head + 1), "val", "middle")
        for group in range(K):
            at = left + (group + 0.5) * panel / K
            image.rect(at - box / 2, 186 - box, box, box, f"cellbox {kind}", 4, "--share:.9")
            image.text(at, 186 - box / 2 + 4, str(group + 1), "val", "middle")
    return image


def shared(width):
    """The gradient of Tom's keys: what each head asks for, and the sum over its group."""
    phone = width < 500
    values = inside()
    left, cell = (66, (66, 28)) if phone else (86, (82, 30))
    gap = 22 if phone else 40
    image = Svg(width, 4 * 30 + 62)
    biggest = np.abs(values["d_k"][0, :, TOM]).max()
    for group, columns in enumerate((["acts", "on" if phone else "acted on"], ["dog", "cat"])):
        x = left + group * (2 * cell[0] + gap)
        rows = [values["d_k4"][0, 2 * group + i, TOM] for i in range(2)]
        rows.append(sum(rows))
        assert np.allclose(rows[2], values["d_k"][0, group, TOM])
        image.text(x + cell[0], 14, f"keys of group {group + 1}", "lab", "middle")
        for j, name in enumerate(columns):
            image.text(x + (j + 0.5) * cell[0], 34, name, "nt", "middle")
        for i, row in enumerate(rows):
            top = 44 + i * cell[1] + (12 if i == 2 else 0)
            if i < 2 or not group:
                words = f"head {2 * group + i + 1}" if i < 2 else "the sum"
                if group == 0:
                    heads = f"head {i + 1}, {i + 3}" if i < 2 else words
                    image.text(left - 8, top + 19, heads, "nt", "end")
            for j, value in enumerate(row):
                kind = "up" if value > 0 else "dn" if value < 0 else "grey"
                image.rect(x + j * cell[0], top, cell[0] - 2, cell[1] - 2, f"cellbox {kind}", 3,
                           f"--share:{min(1, abs(value) / biggest):.3f}")
                image.text(x + (j + 0.5) * cell[0] - 1, top + cell[1] / 2 + 3, signed(value),
                           "val", "middle")
        image.line(x, 44 + 2 * cell[1] + 4, x + 2 * cell[0], 44 + 2 * cell[1] + 4, "axis")
    return image
