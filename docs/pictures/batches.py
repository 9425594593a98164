"""Batches drawn: two windows of a text and their targets; and how much of it was read."""

import numpy as np
from npgpt.training.batches import draw_batch, windows_at
from svg import Svg, chart

TEXT = "the cat sat on the mat and slept"
T = 8


def picture(width):
    ids = np.array([ord(c) for c in TEXT])
    phone = width < 500
    text = TEXT[:22] if phone else TEXT
    starts = np.array([4, 11] if phone else [4, 19])
    inputs, targets = windows_at(ids, starts, T)
    left = 56 if phone else 74
    step = (width - left - 2) / len(text)
    image = Svg(width, 238)

    def cells(y, first, characters, kind):
        for i, character in enumerate(characters):
            x = left + (first + i) * step
            image.rect(x, y, step - 1.5, 24, f"cellbox {kind}", 3, "--share:.7")
            image.text(x + step / 2 - 1, y + 16, "␣" if character == " " else character, "val",
                       "middle")

    image.name(0, 26, "ids")
    cells(10, 0, text, "grey")
    for row, start in enumerate(starts):
        y = 62 + row * 92
        image.name(0, y + 16, "inputs")
        image.name(0, y + 46, "targets")
        cells(y, start, [chr(i) for i in inputs[row]], "np")
        cells(y + 30, start + 1, [chr(i) for i in targets[row]], "pt")
        x = left + (start + T + 1) * step + 8
        if x + 70 < width:
            image.text(x, y + 34, f"start = {start}", "nt")
        image.line(left + start * step, 36, left + start * step, y - 2, "axis")
    return image


def plot(width):
    """The share of a text's tokens that have been a target after each step."""
    ids, B, length = np.arange(4097), 12, 16
    read, percent = np.zeros(len(ids), bool), []
    for step in range(1, 81):
        _, targets = draw_batch(ids, length, B, 1, step)
        read[targets] = True
        percent.append(100 * read.mean())
    at = np.arange(1, 81)
    passes = at * B * length / len(ids)
    return chart(width, {"drawn": (passes, percent, "np"),
                         "100 (1 − e⁻ˣ)": (passes, 100 * (1 - np.exp(-passes)), "dim")},
                 "tokens drawn, in texts x", "% of the text read", y_range=(0, 100))
