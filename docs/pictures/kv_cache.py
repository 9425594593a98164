"""The KV cache drawn: one position filled; and the time a token costs with and without."""

import time

import npgpt.layers
import numpy as np
from npgpt.generation import empty_cache
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.training import init
from svg import Svg, chart


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
    image.matrix(left, top, before[0, 0], cell, 1, rows=words, name="keys",
                 hidden=np.repeat(np.arange(N) >= start, D).reshape(N, D), top=2)
    image.text(left, top - 26, f"start = {start}", "nt")
    image.matrix(middle, low, k[0, 0], cell, 1, kind="np", name="k", top=2,
                 note="the new token" if not phone else "new")
    image.rect(right - 4, top - 4, D * cell[0] + 6, keys.shape[2] * cell[1] + 6, "box np", 4)
    image.matrix(right, top, keys[0, 0], cell, 1, name="keys",
                 hidden=np.repeat(np.arange(N) > start, D).reshape(N, D), top=2)
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
                         (counts, cached, "np")},
                 "tokens read so far", "milliseconds for the next token", y_log=True)
