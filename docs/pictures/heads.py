"""Heads drawn: one row of channels cut in parts; and one product against a loop over heads."""

import time

import npgpt.layers
import numpy as np
from npgpt.random_stream import normals
from svg import Svg, chart

T, D, H = 3, 2, 2
PARTS = [("q", "np"), ("k", "pt"), ("v", "grey")]


def picture(width):
    """Each number is the cell's own count, so that one sees where it went."""
    x = np.arange(T * 3 * H * D).reshape(1, T, -1)
    y, _ = npgpt.layers.split_qkv(x, H)
    home = {int(n): (p, h) for p in range(3) for h in range(H) for n in y[p, 0, h].flat}
    phone = width < 500
    cell = (27, 26) if phone else (44, 28)
    left, top = (34, 56) if phone else (80, 56)
    low = top + T * cell[1] + 86
    image = Svg(width, low + H * (T * cell[1] + 44) - 30)

    def grid(x0, y0, values):
        for i, row in enumerate(values):
            for j, n in enumerate(row):
                part, head = home[int(n)]
                image.rect(x0 + j * cell[0], y0 + i * cell[1], cell[0] - 2, cell[1] - 2,
                           f"cellbox {PARTS[part][1]}", 3, f"--share:{(0.25, 0.9)[head]}")
                image.text(x0 + (j + 0.5) * cell[0] - 1, y0 + (i + 0.5) * cell[1] + 3, int(n),
                           "val", "middle")

    image.name(left, 14, "x", "" if phone else f"({', '.join(map(str, x.shape))})", left + 74)
    for part, (name, _) in enumerate(PARTS):
        image.text(left + (part + 0.5) * H * D * cell[0], top - 24, name, "tok", "middle")
        for head in range(H):
            image.text(left + ((part * H + head) + 0.5) * D * cell[0], top - 8,
                       f"head {head}", "nt", "middle")
    for i in range(T):
        image.text(left - 7, top + (i + 0.5) * cell[1] + 4, str(i) if phone else f"position {i}",
                   "nt", "end")
    image.step("split_qkv-1", left - 4, top - 22, 3 * H * D * cell[0] + 6, T * cell[1] + 24)
    grid(left, top, x[0])
    image.end()
    image.name(left, low - 26, "y", "" if phone else f"({', '.join(map(str, y.shape))})",
               left + 84)
    image.step("split_qkv-2", 0, low - 20, width, H * (T * cell[1] + 40))
    for part, (name, _) in enumerate(PARTS):
        for head in range(H):
            x0 = left + part * (H * D * cell[0])
            y0 = low + head * (T * cell[1] + 40) + 6
            if part == 0:
                image.text(left - 7, y0 + T * cell[1] / 2 + 2, f"h {head}" if phone
                           else f"head {head}", "nt", "end")
            if head == 0:
                image.text(x0 + D * cell[0] / 2, y0 - 8, name, "tok", "middle")
            grid(x0, y0, y[part, 0, head])
    image.end()
    return image


def fastest(work, times=15):
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best * 1e3


def plot(width):
    B, length, C = 1, 16, 128
    qkv = normals((B, length, 3 * C), 1, 0, "plot").astype(np.float32)
    counts, loop, once = [1, 2, 4, 8, 16, 32], [], []
    for heads in counts:
        size = C // heads

        def one_by_one(heads=heads, size=size):
            outs = []
            for h in range(heads):
                q, k, v = (qkv[..., p * C + h * size:p * C + (h + 1) * size][:, None]
                           for p in range(3))
                outs.append(npgpt.layers.attention(q, k, v)[0][:, 0])
            return np.concatenate(outs, axis=-1)

        def together(heads=heads):
            (q, k, v), _ = npgpt.layers.split_qkv(qkv, heads)
            return npgpt.layers.merge_heads(npgpt.layers.attention(q, k, v)[0])[0]

        assert np.allclose(one_by_one(), together(), atol=1e-5)
        loop.append(fastest(one_by_one))
        once.append(fastest(together))
    return chart(width, {"head by head": (counts, loop, "ink"), "all at once":
                         (counts, once, "np")},
                 "heads, 128 channels in all", "milliseconds", y_range=(0, 1.08 * max(loop + once)))
