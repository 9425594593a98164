"""A slope, a product as an area, and a number that changes the loss on two paths."""

import numpy as np
from svg import Svg, chart


def picture(width):
    x = np.linspace(-1, 1, 41)
    return chart(width, {"eˣ": (x, np.exp(x), "att"), "1 + x": (x, 1 + x, "dim")}, "x", "y",
                 y_range=(0, 2.8))


def paths(width):
    image = Svg(width, 190)
    left, middle, right = 30, width / 2, width - 34
    for y, name, first, second in ((40, "y₁", "2", "3"), (150, "y₂", "−1", "4")):
        image.arrow(left + 16, 95, middle - 18, y).arrow(middle + 18, y, right - 18, 95)
        image.rect(middle - 18, y - 16, 36, 32)
        image.text(middle, y + 5, name, "tok", "middle")
        beside = -8 if y < 95 else 18
        image.text((left + middle) / 2, (95 + y) / 2 + beside, first, "num", "middle")
        image.text((middle + right) / 2, (95 + y) / 2 + beside, second, "num", "middle")
    for x, name in ((left, "x"), (right, "L")):
        image.rect(x - 18, 79, 36, 32)
        image.text(x, 100, name, "tok", "middle")
    return image


def rectangle(width):
    """u times v, and what it gains when one of them grows."""
    image = Svg(width, 210)
    left, top, long, high, more = (width - 260) / 2, 48, 200, 110, 34
    image.rect(left, top, long, high, "cellbox att", 0, "--share:.6")
    image.rect(left + long, top, more, high, "cellbox att", 0, "--share:.25")
    image.rect(left, top - more, long, more, "cellbox att", 0, "--share:.25")
    image.rect(left + long, top - more, more, more, "loss", 0)
    for x, y, words in ((left + long / 2, top + high / 2 + 5, "u · v"),
                        (left + long / 2, top - more / 2 + 5, "ε · u"),
                        (left + long / 2, top + high + 22, "u"),
                        (left + long + more / 2, top + high + 22, "ε"),
                        (left - 14, top + high / 2 + 5, "v"), (left - 14, top - more / 2 + 5, "ε")):
        image.text(x, y, words, "tok", "middle")
    return image.text(left + long + more + 8, top + high / 2 + 5, "ε · v", "tok")
