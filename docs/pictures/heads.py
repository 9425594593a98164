"""Heads drawn: one row of channels cut in parts; and one product against a loop over heads."""

import time

import numpy as np
from npgpt.layers import attention, merge_heads, split_qkv
from npgpt.random_stream import normals
from svg import Svg, chart

T, D, H = 3, 2, 2
PARTS = ["q", "k", "v"]
# Position, pair, channel, each counted from 1: 142 is position 1, pair 4 (k, head 2), channel 2.
X = np.array([[[100.0 * t + 10 * pair + d for pair in range(1, 3 * H + 1) for d in (1, 2)]
               for t in range(1, T + 1)]])
D_QKV = np.zeros((3, 1, H, T, D))
D_QKV[0, 0, 1, 0] = [-0.5, 0.2]   # the query of head 2 at position 1
D_QKV[1, 0, 0, 1] = [0.3, 0.0]    # the key of head 1 at position 2
D_QKV[2, 0, 1, 2] = [0.0, 0.4]    # the value of head 2 at position 3
D_MERGED = np.array([[[0.1, 0.2, -0.3, -0.4], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.2, 0.1]]])

WORDS = ["Rex", "chased", "Tom", "and", "caught", "him"]
KEYS = np.array([[2.0, 2, 0, 0], [0, 0, 0, 2], [2, 0, 2, 0],
                 [0, 0, 0, 0.5], [0, 0, 0, 2], [0.5, 0, 1, 0]])  # name, acts, acted on, verb
VALUES = np.array([[1.0, 0], [0, 0], [0, 1], [0, 0], [0, 0], [0, 0]])   # dog, cat
CAUGHT = np.array([2.0, -2, 4, 0])    # looks for a name that is acted on
CATCHER = np.array([2.0, 4, -2, 0])   # looks for a name that acts


def looks(query, values):
    """Shares and result of one query over the six words."""
    y, saved = attention(query[None, None, None], KEYS[None, None], values[None, None])
    return saved[3][0, 0, 0], y[0, 0, 0]


def worked():
    y, _ = split_qkv(X, H)
    swapped = VALUES[:, ::-1]     # Tom chased Rex: the dog is now where the cat was
    both = CAUGHT + CATCHER
    names = {
        "positions": ["position 1", "position 2", "position 3"], "channels": ["channel 1",
                                                                              "channel 2"],
        "vcolumns": ["h1", "h1", "h2", "h2"], "words": WORDS,
        "shares": np.stack([looks(query, VALUES)[0] for query in (both, CAUGHT, CATCHER)]),
        "stories": ["1 head, him = Tom", "1 head, him = Rex", "2 heads, him = Tom",
                    "2 heads, him = Rex"],
        "answers": np.stack([np.tile(looks(both, v)[1], 2) for v in (VALUES, swapped)]
                            + [np.concatenate([looks(CAUGHT, v)[1], looks(CATCHER, v)[1]])
                               for v in (VALUES, swapped)])}
    return {"split_qkv": {"args": {"x": X, "heads": H}, "d_y": D_QKV, "names": names},
            "merge_heads": {"args": {"x": y[2]}, "d_y": D_MERGED, "names": names},
            "split_heads": {"args": {"x": X[..., :H * D], "heads": H}, "d_y": y[0] / 1000,
                            "names": names}}


def picture(width):
    """Each number says where it was, so that one sees where it went; one pair is framed."""
    y, _ = split_qkv(X, H)
    home = {int(n): (p, h) for p in range(3) for h in range(H) for n in y[p, 0, h].flat}
    phone = width < 500
    cell = (27, 26) if phone else (44, 28)
    left, top = (34, 56) if phone else (80, 56)
    low = top + T * cell[1] + 86
    image = Svg(width, low + H * (T * cell[1] + 44) - 30)

    def grid(x0, y0, values):
        for i, row in enumerate(values):
            for j, n in enumerate(row):
                image.rect(x0 + j * cell[0], y0 + i * cell[1], cell[0] - 2, cell[1] - 2,
                           "cellbox grey", 3, f"--share:{(0.25, 0.9)[home[int(n)][1]]}")
                image.text(x0 + (j + 0.5) * cell[0] - 1, y0 + (i + 0.5) * cell[1] + 3, int(n),
                           "val", "middle")

    def frame(x0, y0):
        image.rect(x0 - 2, y0 - 2, D * cell[0] + 2, T * cell[1] + 2, "frame", 4,
                   "fill:none;stroke:var(--ink);stroke-width:1.6")

    image.name(left, 14, "x", "" if phone else f"({', '.join(map(str, X.shape))})", left + 74)
    for part, name in enumerate(PARTS):
        image.text(left + (part + 0.5) * H * D * cell[0], top - 24, name, "tok", "middle")
        for head in range(H):
            image.text(left + ((part * H + head) + 0.5) * D * cell[0], top - 8,
                       f"head {head + 1}", "nt", "middle")
    for i in range(T):
        image.text(left - 7, top + (i + 0.5) * cell[1] + 4, str(i + 1) if phone
                   else f"position {i + 1}", "nt", "end")
    image.step("split_qkv-1", left - 4, top - 22, 3 * H * D * cell[0] + 6, T * cell[1] + 24)
    grid(left, top, X[0])
    frame(left + 3 * D * cell[0], top)
    image.end()
    image.name(left, low - 26, "y", "" if phone else f"({', '.join(map(str, y.shape))})",
               left + 94)
    image.step("split_qkv-2", 0, low - 20, width, H * (T * cell[1] + 40))
    for part, name in enumerate(PARTS):
        for head in range(H):
            x0 = left + part * (H * D * cell[0])
            y0 = low + head * (T * cell[1] + 40) + 6
            if part == 0:
                image.text(left - 7, y0 + T * cell[1] / 2 + 2, f"h {head + 1}" if phone
                           else f"head {head + 1}", "nt", "end")
            if head == 0:
                image.text(x0 + D * cell[0] / 2, y0 - 8, name, "tok", "middle")
            grid(x0, y0, y[part, 0, head])
            if (part, head) == (1, 1):
                frame(x0, y0)
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
                outs.append(attention(q, k, v)[0][:, 0])
            return np.concatenate(outs, axis=-1)

        def together(heads=heads):
            (q, k, v), _ = split_qkv(qkv, heads)
            return merge_heads(attention(q, k, v)[0])[0]

        assert np.allclose(one_by_one(), together(), atol=1e-5)
        loop.append(fastest(one_by_one))
        once.append(fastest(together))
    return chart(width, {"head by head": (counts, loop, "ink"), "all at once":
                         (counts, once, "att")},
                 "heads, 128 channels in all", "milliseconds", x_log=True, x_ticks=counts,
                 y_range=(0, 1.08 * max(loop + once)))
