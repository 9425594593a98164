"""Sinusoids drawn: waves from fast to slow, and a sum that tells distances."""

import numpy as np
from npgpt.layers import sinusoids
from svg import Svg, chart, printed

POSITIONS = np.array([[0, 1, 2, 3]])
C = 4
LIKE = np.zeros(1)


def worked():
    y = sinusoids(POSITIONS, C, LIKE)[0]
    rows = sinusoids(np.arange(200)[None], 64, LIKE)[0]
    assert abs(rows[50] @ rows[53] - rows[150] @ rows[153]) < 1e-13, "as the chapter says"
    names = {"pp": [f"position {p}" for p in range(4)],
             "cc": ["sin", "cos", "slow sin", "slow cos"],
             "products": y @ y.T, "length": float((rows[0] * rows[0]).sum()),
             "near": float((rows[50] * rows[51]).sum()), "far": float((rows[50] * rows[90]).sum()),
             "waves": [2 * np.pi * 1e4 ** (2 * i / 64) for i in (0, 31)]}
    return {"sinusoids": {"args": {"positions": POSITIONS, "C": C, "like": LIKE}, "names": names}}


def picture(width):
    """A row for each position, a column for each channel: C = 16, 24 positions."""
    phone = width < 500
    rows, columns = 24, 16
    y = sinusoids(np.arange(rows)[None], columns, LIKE)[0]
    left, top = 34, 40
    cell = (width - left - 4) / columns
    tall = 11 if phone else 13
    image = Svg(width, top + rows * tall + 8)
    image.text(left, 12, "channel", "lab").text(0, 12, "p", "lab")
    for j in range(columns):
        image.text(left + (j + 0.5) * cell, 30, str(j), "nt", "middle")
    for i, row in enumerate(y):
        if i % 4 == 0:
            image.text(left - 8, top + (i + 0.8) * tall, str(i), "nt", "end")
        for j, value in enumerate(row):
            image.rect(left + j * cell, top + i * tall, cell - 1, tall - 1,
                       f"cellbox {'up' if value > 0 else 'dn'}", 1, f"--share:{abs(value):.2f}")
    return image


def problem(width):
    """Digits of a binary number, and the sine waves that do the same smoothly."""
    phone = width < 500
    image = Svg(width, 250)
    left, top, count = 70 if phone else 110, 30, 16
    cell = (width - left - 4) / count
    image.text(0, 14, "counting in digits of 0 and 1", "lab")
    for bit in range(3):
        image.text(left - 10, top + 16 + 24 * bit, f"every {2 ** bit}", "nt", "end")
        for p in range(count):
            on = p >> bit & 1
            image.rect(left + p * cell, top + 24 * bit, cell - 1, 22,
                       f"cellbox {'att' if on else 'grey'}", 2, "--share:.8")
            image.text(left + (p + 0.5) * cell, top + 24 * bit + 15, str(on), "val", "middle")
    image.text(0, 128, "waves of the same lengths", "lab")
    p = np.linspace(0, count, 200)
    for bit in range(3):
        base = 160 + 34 * bit
        image.text(left - 10, base + 4, f"wave of {printed(2 ** (bit + 1), 0)}", "nt", "end")
        angles = 2 * np.pi * (p - 0.5) / 2 ** (bit + 1)
        image.polyline([(left + x * cell, base + 12 * np.cos(angle))
                        for x, angle in zip(p, angles)], "ln-att")
    return image


def plot(width):
    """The product of two positions' vectors against their distance, C = 64."""
    y = sinusoids(np.arange(129)[None], 64, LIKE)[0]
    far = np.arange(-64, 65)
    return chart(width, {"C = 64": (far, y @ y[64], "att")}, "distance of the two positions",
                 "product of their vectors", x_ticks=[-64, -32, 0, 32, 64])
