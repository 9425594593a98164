"""Multi-head attention drawn: each head looks its own way; and what a loop would cost."""

import time

import numpy as np
from npgpt.layers import attention, causal_mask, merge_heads, split_qkv
from npgpt.random_stream import normals
from svg import Svg, chart

WORDS = ["the", "cat", "slept", "for", "it"]


def picture(width):
    """One row of channels, cut into two heads; each has its own table of probabilities."""
    T, H, D = 5, 2, 3
    x = np.round(normals((1, T, 3 * H * D), 3, 0, "picture") * 1.5, 1)
    (q, k, v), _ = split_qkv(x, H)
    probs = attention(q, k, v, causal=True)[1][3][0]
    phone = width < 500
    image = Svg(width, 470 if phone else 236)
    cell = (50, 27) if phone else (46, 27)
    for head in range(H):
        x_at, y_at = (50, 48 + head * 222) if phone else (50 + head * 300, 48)
        image.matrix(x_at, y_at, probs[head], cell, 2, WORDS, WORDS, top=1,
                     kind="np" if head == 0 else "pt", hidden=~causal_mask(T, T, q))
        image.text(x_at, y_at - 24, f"head {head + 1}", "nm")
    return image


def one_product(x, weight, heads):
    (q, k, v), _ = split_qkv(x @ weight, heads)
    return merge_heads(attention(q, k, v, causal=True)[0])[0]


def loop(x, weight, heads):
    C = x.shape[-1]
    D = C // heads
    out = []
    for h in range(heads):
        q, k, v = (x @ weight[:, p * C + h * D : p * C + (h + 1) * D] for p in range(3))
        y, _ = attention(q[:, None], k[:, None], v[:, None], causal=True)
        out.append(y[:, 0])
    return np.concatenate(out, axis=-1)


def fastest(work, times=5):
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def plot(width):
    counts = [1, 2, 4, 8, 16]
    x = normals((4, 64, 128), 1, 0, "x").astype(np.float32)
    weight = (normals((128, 384), 1, 0, "w") / 11).astype(np.float32)
    cut = [fastest(lambda h=h: one_product(x, weight, h)) for h in counts]
    looped = [fastest(lambda h=h: loop(x, weight, h)) for h in counts]
    then, over = (", then split", " over heads") if width > 500 else ("", "")
    return chart(width, {f"one product{then}": (counts, cut, "np"),
                         f"a loop{over}": (counts, looped, "ink")},
                 "heads", "milliseconds", x_log=False, y_range=(0, max(looped) * 1.15))
