"""Flash attention drawn: memory against length, one tile at a time, and a maximum corrected."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from attention import D_Y, Q_COLUMNS, V_COLUMNS, WORDS, K, Q, V
from npgpt.layers import attention, attention_backward, flash_attention
from npgpt.layers.flash_attention import tile_scores
from svg import Svg, chart, printed

RECORD = Path(__file__).parents[1] / "records" / "flash_memory.json"
SIZE, HIM, TOM = 2, 5, 2
FOUR = tuple(a[None, None] for a in (Q, K, V))
LENGTH, FORWARD, BACKWARD, SAVED = range(4)     # a row of the record


@lru_cache(maxsize=1)
def tiles():
    """What flash attention knows after each tile: scores (6, 6), None where none were computed;
    largest, shrink, powers, total and y of each query."""
    q, k, v = FOUR
    top, total, y, found = np.full(6, -np.inf), np.zeros(6), np.zeros((6, 4)), []
    for start in range(0, 6, SIZE):
        scores, rows, keys = tile_scores(q, k, None, True, start, SIZE)
        scores = scores[0, 0]
        new = np.maximum(top[rows], scores.max(axis=-1))
        shrink = np.exp(top[rows] - new)
        powers = np.exp(scores - new[:, None])
        total[rows] = total[rows] * shrink + powers.sum(-1)
        y[rows] = y[rows] * shrink[:, None] + powers @ V[keys]
        before, top[rows] = top.copy(), new
        found.append({"rows": rows, "keys": keys, "scores": scores, "before": before,
                      "shrink": shrink, "powers": powers, "top": top.copy(),
                      "total": total.copy(), "y": y.copy()})
    assert np.allclose(y / total[:, None], flash_attention(q, k, v, causal=True)[0])
    return found


def spread(values, keys):
    """The numbers of one tile, in the columns of its keys."""
    row = [None] * 6
    row[keys] = list(values)
    return row


@lru_cache(maxsize=1)
def record():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def column(name, i):
    return np.array([row[i] for row in record()["runs"][name]], float)


def peak(name):
    return np.maximum(column(name, FORWARD), column(name, BACKWARD))


def worked():
    q, k, v = FOUR
    states = tiles()
    _, saved = attention(q, k, v, causal=True)
    probs = saved[3][0, 0]
    d_probs = D_Y @ V.T
    mean = (probs * d_probs).sum(-1, keepdims=True)
    d_scores = probs * (d_probs - mean)
    d_q = np.cumsum([d_scores[HIM, tile["keys"]] @ K[tile["keys"]] / 2 for tile in states], axis=0)
    assert np.allclose(d_q[-1], attention_backward(D_Y[None, None], saved)[0][0, 0, HIM])
    lengths = column("attention", LENGTH)
    said = record()
    names = {
        "words": WORDS, "qc": Q_COLUMNS, "vc": V_COLUMNS, "him": HIM, "tom": TOM,
        "tiles": ["tile 1", "tile 2", "tile 3"],
        "s": [spread(tile["scores"][-1], tile["keys"]) for tile in states],
        "w": [spread(tile["powers"][-1], tile["keys"]) for tile in states],
        "p": [spread(probs[HIM, tile["keys"]], tile["keys"]) for tile in states],
        "ds": [spread(d_scores[HIM, tile["keys"]], tile["keys"]) for tile in states],
        "dp": d_probs[HIM], "top": [tile["top"][HIM] for tile in states],
        "shrink": [tile["shrink"][-1] for tile in states],
        "total": [tile["total"][HIM] for tile in states],
        "mixed": [tile["y"][HIM] for tile in states],
        "dq": d_q, "raw": Q[HIM] @ K.T / 2, "probs": probs, "g": float(mean[HIM, 0]),
        "rows": ["plain", "flash"],
        "lengths": [f"{n:,.0f}" for n in lengths], "n": int(lengths[-1]),
        "peaks": np.array([peak("attention"), peak("flash_attention")]) / 1e6,
        "kept": np.array([column("attention", SAVED), column("flash_attention", SAVED)]) / 1e6,
        "said": said, "shape": said["shape"],
        "model": 9 * 30 * int(lengths[-1]) ** 2 * 4 / 1e9}
    return {"flash_attention": {"args": {"q": q, "k": k, "v": v, "causal": True, "size": SIZE},
                                "d_y": D_Y[None, None], "names": names}}


def problem(width):
    """Peak memory of a forward and a backward pass, as recorded."""
    lengths = column("attention", LENGTH)
    return chart(width, {"attention": (lengths, peak("attention") / 1e6, "ink"),
                         "flash attention": (lengths, peak("flash_attention") / 1e6, "att")},
                 "length of the text, T", "peak memory in MB", x_log=True, y_log=True,
                 x_ticks=lengths[::2] if width < 500 else lengths)


def picture(width):
    """The table of scores in three tiles; the second is in memory. Beside it what is kept."""
    phone = width < 500
    states = tiles()
    left, cell = (52, 30) if phone else (70, 46)
    high, gap, top = 30, 4, 60 if phone else 46
    grid = 6 * cell + 2 * gap
    image = Svg(width, top + 6 * high + 40)
    image.text(0, 14, "scores, three tiles", "nt")
    for j, word in enumerate(WORDS):
        x = left + (j + 0.5) * cell + gap * (j // SIZE)
        image.text(x, top - 8 - 15 * (phone and j % 2), word, "nt", "middle")
    for i, word in enumerate(WORDS):
        image.text(left - 8, top + (i + 0.5) * high + 4, word, "tok" if i == HIM else "nt", "end")
    for number, tile in enumerate(states):
        first, keys = tile["rows"].start, tile["keys"]
        x = left + keys.start * cell + gap * number
        if first:
            image.rect(x, top, SIZE * cell - 2, first * high - 2, "loss", 3)
            image.text(x + cell - 1, top + first * high / 2 + 4, "skipped", "nt", "middle")
        for i, row in enumerate(tile["scores"]):
            for j, score in enumerate(row):
                now, known = number == 1, np.isfinite(score)
                at = x + j * cell, top + (first + i) * high
                strength = min(1, abs(score) / 4) if known and now else 0
                image.rect(*at, cell - 2, high - 2, "cellbox att" if now else "cellbox grey", 3,
                           f"--share:{strength:.2f}")
                if now:
                    image.text(at[0] + cell / 2 - 1, at[1] + 19,
                               printed(score) if known else "−∞", "val", "middle")
        image.text(x + cell - 1, top + 6 * high + 18, ("gone", "now", "later")[number],
                   "lab" if number == 1 else "nt", "middle")
    x = left + grid + (14 if phone else 34)
    columns = ["top", "total"] if phone else ["top", "total", *V_COLUMNS[:2]]
    step = 40 if phone else 54
    values = np.column_stack([states[1]["top"], states[1]["total"], states[1]["y"][:, :2]])
    image.text(x, 14, "kept" if phone else "kept for each query", "nt")
    for j, word in enumerate(columns):
        image.text(x + (j + 0.5) * step, top - 8, word if j < 2 or phone else f"y {word}", "nt",
                   "middle")
        for i in range(6):
            image.rect(x + j * step, top + i * high, step - 2, high - 2, "cellbox att", 3,
                       "--share:.25")
            image.text(x + (j + 0.5) * step - 1, top + i * high + 19, printed(values[i, j], 2),
                       "val", "middle")
    return image


def online(width):
    """The row of `him` after each tile: powers under the largest score so far."""
    phone = width < 500
    states = tiles()
    raw = Q[HIM] @ K.T / 2
    tall, high = 74, 132
    image = Svg(width, 3 * high + 4)
    left = 66 if phone else 96
    step = (width - left - (60 if phone else 92)) / 6
    for number, tile in enumerate(states):
        base = 30 + tall + number * high
        old, new = tile["before"][HIM], tile["top"][HIM]
        read = tile["keys"].stop
        image.text(0, base - tall + 6, f"tile {number + 1}", "lab")
        image.text(0, base - tall + 24, f"top {printed(new)}", "num")
        image.line(left, base, left + 6 * step, base, "axis")
        for i, word in enumerate(WORDS):
            x = left + (i + 0.5) * step
            if i >= read:
                image.text(x, base - 6, "·", "nt", "middle")
            else:
                size = np.exp(raw[i] - new)
                if i < tile["keys"].start and old < new:
                    was = tall * np.exp(raw[i] - old)
                    image.rect(x - 0.3 * step, base - was, 0.6 * step, was, "loss", 2)
                image.rect(x - 0.3 * step, base - tall * size, 0.6 * step,
                           max(tall * size, 0.6), "cellbox att", 2, "--share:1")
                image.text(x, base - tall * (np.exp(raw[i] - old) if i < tile["keys"].start
                           and old < new else size) - 5, printed(size, 2), "num", "middle")
            image.text(x, base + 17 + 14 * (phone and i % 2), word, "nt", "middle")
        image.text(width, base - tall + 6, "total", "nt", "end")
        image.text(width, base - tall + 24, printed(tile["total"][HIM], 2), "num", "end")
    return image

