"""The lesson of the line: points near y = 3x + 2, a wrong first guess, ten steps."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npgpt.random_stream import normals, uniforms

POINTS, NOISE, REACH = 100, 0.3, 2.0
TRUE = (3.0, 2.0)  # weight, bias
START = (4.5, 0.4)
RATE, STEPS = 0.2, 10


def noisy_points(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """x (N,) between −2 and 2, y (N,) near 3x + 2, in float64."""
    x = REACH * (2 * uniforms((POINTS,), seed, 0, "line.x") - 1)
    noise = NOISE * normals((POINTS,), seed, 0, "line.noise")
    return x, TRUE[0] * x + TRUE[1] + noise


def learn_line(fit_line: Callable, seed: int = 1) -> dict[str, Any]:
    """What happened, step by step, and the best line there is for these points."""
    x, y = noisy_points(seed)
    path = fit_line(x, y, *START, RATE, STEPS)
    (weight, bias), *_ = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), y, rcond=None)
    best = float(((weight * x + bias - y) ** 2).mean())
    return {
        "points": POINTS, "noise": NOISE, "rate": RATE, "seed": seed,
        "true": {"weight": TRUE[0], "bias": TRUE[1]},
        "path": [{"step": step, "weight": float(w), "bias": float(b), "loss": float(loss)}
                 for step, (w, b, loss) in enumerate(path)],
        "best": {"weight": float(weight), "bias": float(bias), "loss": best},
    }
