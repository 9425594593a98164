"""Clipping drawn: gradients as arrows in a circle; and a descent over a cliff."""

import math

import npgpt.training
import numpy as np
import torch
import torchgpt.training
from svg import Svg, chart

GRADS = [(0.5, 0.4), (1.9, 0.7), (-1.2, 1.3), (-0.7, -0.3), (0.4, -1.6)]
LIMIT = 1.0


def picture(width):
    phone = width < 500
    height = 280 if phone else 350
    unit = min((height - 30) / 3.6, (width / 2 - 26) / 2.3)
    zero = width / 2, height / 2 - 4
    image = Svg(width, height)

    def at(v):
        return zero[0] + v[0] * unit, zero[1] - v[1] * unit

    image.rect(zero[0] - unit, zero[1] - unit, 2 * unit, 2 * unit, "ribbon", unit)
    image.text(zero[0] - 0.3 * unit, zero[1] + 0.72 * unit, f"limit = {LIMIT:g}", "nt", "middle")
    image.step("clip_by_global_norm-2", 0, 0, width, height)
    for grad in GRADS:
        grads = {"w": np.array([grad[0]]), "b": np.array([grad[1]])}
        clipped, norm = npgpt.training.clip_by_global_norm(grads, LIMIT)
        end = clipped["w"][0], clipped["b"][0]
        if norm > LIMIT:
            image.line(*at(end), *at(grad), "ln-dim")
            image.dot(*at(grad), 4, "pt-o")
        image.arrow(*zero, *at(end))
        far = np.array(grad) * (1 + 0.16 / norm)
        image.text(*(at(far)[0], at(far)[1] + 4), f"{norm:.1f}", "num",
                   "start" if grad[0] > 0 else "end")
    image.end()
    image.dot(*zero)
    return image


def descend(steps, rate, clip=None, make=None):
    """The loss (w¹² − ½)² on the way down from w = 1.35."""
    w, losses = 1.35, []
    for _ in range(steps):
        try:
            losses.append((w**12 - 0.5) ** 2)
            grad = 24 * (w**12 - 0.5) * w**11
        except OverflowError:
            break
        if clip:
            grads, _ = clip({"w": make([grad])}, LIMIT)
            grad = float(grads["w"][0])
        w -= rate * grad
    return losses


def plot(width):
    bare = descend(80, 0.01)
    ours = descend(80, 0.01, npgpt.training.clip_by_global_norm, np.array)
    theirs = descend(80, 0.01, torchgpt.training.clip_by_global_norm,
                     lambda v: torch.tensor(v, dtype=torch.float64))
    at = np.arange(80)
    high = [x if math.isfinite(x) else 1e300 for x in bare]
    return chart(width, {"NumPy": (at, ours, "np"), "PyTorch": (at[::4], theirs[::4], "pt"),
                         " bare": (at[:len(high)], high, "ink")},
                 "step", "loss", y_log=True, y_range=(1e-12, 1e9),
                 notes=[(5, 2e6, "without clipping: thrown out of sight", "start")])
