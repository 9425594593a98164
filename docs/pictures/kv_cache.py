"""The KV cache drawn: what is computed again without it, what never changes, one position
filled; and the time a token costs with and without."""

import time

import npgpt.layers
import numpy as np
from block import DOCS, load
from npgpt.generation import empty_cache
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.training import init
from svg import Svg, chart

WORDS, Q_COLUMNS, V_COLUMNS, Q, K, V = (   # attention's own example
    load(DOCS / "pictures" / "attention.py", name)
    for name in ("WORDS", "Q_COLUMNS", "V_COLUMNS", "Q", "K", "V"))
SMALL = gpt2.Config(vocab_size=50257, context_length=1024, layers=12, heads=12, channels=768)
ROOM, START = 8, 5            # positions in the storage; read so far: all words but `him`
LENGTHS = [1, 4, 16, 64, 256, 1024]


def multiplications(n, cached):
    """For the logits after n tokens, all of them read anew, or the last one with a cache."""
    rows = gpt2.products(SMALL, 1, 1 if cached else n)
    total = sum(count * row * inner * column for count, row, inner, column in rows)
    if cached:      # one query, n keys and n values in each block
        return total + (n - 1) * 2 * SMALL.channels * SMALL.layers
    return total - (n - 1) * SMALL.channels * SMALL.vocab_size    # logits of the last token only


def storage(rows):
    filled = np.zeros((1, 1, ROOM, rows.shape[1]))
    filled[:, :, :START] = rows[:START]
    return filled


def with_gaps(array, filled):
    return [[None] * array.shape[-1] if i >= filled else list(row)
            for i, row in enumerate(array[0, 0])]


def worked():
    keys, values = storage(K), storage(V)
    before = with_gaps(keys.copy(), START), with_gaps(values.copy(), START)
    four = [a[None, None] for a in (Q, K, V)]
    whole, _ = npgpt.layers.attention(*four, causal=True)
    past = {"keys": keys.copy(), "values": values.copy(), "start": START}
    k, v = npgpt.layers.extend_cache(past, *(a[None, None, START:] for a in (K, V)))
    one, _ = npgpt.layers.attention(four[0][:, :, START:], k, v, causal=True)
    top_left, _ = npgpt.layers.attention(four[0][:, :, START:], k, v, mask=np.tri(1, 6, dtype=bool))
    again = sum(multiplications(n, False) for n in range(1, 1001))
    stored = sum(multiplications(n, True) for n in range(1, 1001))
    names = {"words": WORDS, "room": [*WORDS[:START], *["–"] * (ROOM - START)],
             "full": [*WORDS, *["–"] * (ROOM - START - 1)], "kc": Q_COLUMNS, "vc": V_COLUMNS,
             "before": before[0], "new_k": K[START:], "new_v": V[START:], "him": WORDS[START:],
             "after": with_gaps(past["keys"], START + 1),
             "whole": whole[0, 0, START:], "one": one[0, 0],
             "gap": abs(whole[:, :, START:] - one).max(),
             "top_left": top_left[0, 0], "again": again, "kept": stored,
             "at": multiplications, "stored": 2 * SMALL.layers * SMALL.channels,
             "memory": 2 * SMALL.layers * SMALL.context_length * SMALL.channels * 4 / 2**20}
    return {"extend_cache": {"args": {"past": {"keys": keys, "values": values, "start": START},
                                      "k": K[None, None, START:], "v": V[None, None, START:]},
                             "names": names}}


def problem(width):
    series = {words: (LENGTHS, [multiplications(n, cached) for n in LENGTHS], style)
              for words, cached, style in (("read all again", False, "ink"),
                                           ("with a cache", True, "att"))}
    return chart(width, series, "tokens so far", "multiplications for the next token", x_log=True,
                 y_log=True, x_ticks=LENGTHS)


def columns(width):
    """Tokens beside one another, blocks on top of one another; what a new token adds."""
    phone = width < 500
    tokens = ["Rex", "chased", "Tom", "and"]
    left = 62 if phone else 90
    step = (width - left - 10) / 4
    image = Svg(width, 246)
    names = ["the word", "block 1", "block 2", "logits"]
    ys = [200, 136, 72, 22]
    for name, y in zip(names, ys):
        image.text(0, y + 5, name, "lab")
    for i, word in enumerate(tokens):
        x = left + (i + 0.5) * step
        new = i == 3
        kind = "ink" if new else "dim"
        for level in (1, 2):
            for j in range(i + 1):
                start = left + (j + 0.5) * step
                image.line(start, ys[level - 1] - (12 if level == 1 else 15), x, ys[level] + 16,
                           f"ln-{kind}")
        for level in (1, 2):
            image.rect(x - 27, ys[level] - 14, 54, 28, "cellbox att" if new else "cellbox grey",
                       5, f"--share:{1 if new else 0.35}")
            image.text(x, ys[level] + 5, "k, v", "val", "middle")
        image.text(x, ys[0] + 5, word, "tok", "middle")
        if new:
            image.line(x, ys[2] - 15, x, ys[3] + 8, "ln-ink")
            image.text(x, ys[3] + 2, "next?", "tok", "middle")
    image.text(width, 236, "the new column: all that has to be computed", "nt", "end")
    return image


def picture(width):
    """Storage of six positions before and after one token."""
    start, N, D = 3, 6, 2
    keys = np.zeros((1, 1, N, D))
    keys[:, :, :start] = np.round(normals((start, D), 2, 0, "picture"), 1)
    before = keys.copy()
    k = np.round(normals((1, 1, 1, D), 2, 1, "picture"), 1)
    past = {"keys": keys, "values": keys.copy(), "start": start}
    keys, _ = npgpt.layers.extend_cache(past, k, k)
    phone = width < 500
    cell = (38, 27) if phone else (58, 29)
    left, top = (26 if phone else 80), 66
    right = width - D * cell[0] - (8 if phone else 20)
    middle = (left + right + D * cell[0]) / 2 - D / 2 * cell[0]
    image = Svg(width, top + N * cell[1] + 40)
    words = [str(i) if phone else f"position {i}" for i in range(N)]
    low = top + (start - 1) * cell[1] - 6 if phone else top + start * cell[1]
    image.matrix(left, top, before[0, 0], cell, 1, rows=words, name="keys", kind="grey",
                 hidden=np.repeat(np.arange(N) >= start, D).reshape(N, D), top=2)
    image.text(left, top - 26, f"start = {start}", "nt")
    image.matrix(middle, low, k[0, 0], cell, 1, kind="att", name="k", top=2,
                 note="the new token" if not phone else "new")
    image.rect(right - 4, top - 4, D * cell[0] + 6, keys.shape[2] * cell[1] + 6, "box", 4)
    image.matrix(right, top, keys[0, 0, :start], cell, 1, name="keys", kind="grey", top=2)
    image.matrix(right, top + start * cell[1], keys[0, 0, start:], cell, 1, kind="att", top=2)
    for i in range(start + 1, N):
        for j in range(D):
            image.text(right + (j + 0.5) * cell[0] - 1, top + (i + 0.5) * cell[1] + 3, "·", "val",
                       "middle")
    image.text(right, top - 26, f"S = {keys.shape[2]}", "nt")
    image.arrow(middle + D * cell[0] + 2, low + cell[1] / 2, right - 6,
                top + (start + 0.5) * cell[1])
    image.text(right + D * cell[0], top + N * cell[1] + 20, "returned: the framed rows", "nt",
               "end")
    return image


def fastest(work, times=5):
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best * 1e3


def plot(width):
    config = gpt2.Config(vocab_size=64, context_length=512, layers=2, heads=4, channels=64)
    params = init(gpt2, config)
    ids = np.random.default_rng(0).integers(0, 64, (1, 512))
    counts = [16, 32, 64, 128, 256, 512]
    _, cache = gpt2.forward(params, ids, config, cache=empty_cache(gpt2, config, 1, params))
    anew = [fastest(lambda n=n: gpt2.forward(params, ids[:, :n], config)) for n in counts]
    cached = [fastest(lambda n=n: gpt2.forward(
        params, ids[:, n - 1:n], config, cache={**cache, "start": n - 1})) for n in counts]
    return chart(width, {"read all again": (counts, anew, "ink"), "with the cache":
                         (counts, cached, "att")},
                 "tokens read so far", "milliseconds for the next token", x_log=True, y_log=True,
                 x_ticks=counts)
