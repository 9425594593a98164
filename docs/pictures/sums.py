"""Sums drawn: a small table with its row and column sums; and their time."""

import time

import numpy as np
from npgpt.layers.sums import column_sum, row_mean, row_sum
from svg import Svg, chart

X = np.array([[2.0, -1, 3, 0], [1, 1, -2, 4], [0, 5, 1, 2]])


def picture(width):
    cell = (44, 30) if width > 500 else (34, 30)
    image = Svg(width, 240)
    left, top = (60 if width > 500 else 6), 46
    image.matrix(left, top, X, cell, 1, name="x")
    right = left + 4 * cell[0] + (40 if width > 500 else 16)
    image.matrix(right, top, row_sum(X), cell, 1, kind="pt")
    image.text(right, top - 10, "row_sum", "nm")
    further = right + (100 if width > 500 else 66)
    image.matrix(further, top, row_mean(X), cell, 2, kind="pt")
    image.text(further, top - 10, "row_mean", "nm")
    below = top + 3 * cell[1] + 34
    image.matrix(left, below, [column_sum(X)], cell, 1, kind="pt")
    image.text(left, below - 10, "column_sum", "nm")
    return image


def fastest(work, times=12):
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def plot(width):
    counts = [96, 192, 384, 768, 1536, 3072]
    arrays = [np.ones((n, 128), np.float32) for n in counts]
    plain = [fastest(lambda x=x: x.mean(axis=-1, keepdims=True)) for x in arrays]
    ours = [fastest(lambda x=x: row_mean(x)) for x in arrays]
    return chart(width, {"x.mean()": (counts, plain, "ink"), "row_mean(x)": (counts, ours, "np")},
                 "rows of 128 numbers", "microseconds", x_log=True, y_log=True)
