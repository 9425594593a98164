"""line.png: a picture for each step, and the loss as a landscape with the way down."""

from pathlib import Path

import numpy as np

from npgpt.runs.curves import plain_ticks
from npgpt.runs.lessons.axes import BLUE, GREEN, INK, MUTED, ORANGE, plain
from npgpt.runs.lessons.line import noisy_points
from npgpt.runs.picture import save_picture


def draw_line(found: dict, file: Path) -> None:
    """found: what `learn_line` returns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9.6), dpi=120, layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    draw_steps(upper.subplots(2, 6, sharex=True, sharey=True), found)
    draw_surface(lower, found)
    save_picture(figure, file)


def draw_steps(axes, found: dict) -> None:
    """The points and the line before each step; what a step changes, in gray."""
    x, y = noisy_points(found["seed"])
    ends = np.array([x.min(), x.max()])
    before = None
    for axis, at in zip(axes.flat, found["path"]):
        plain(axis, f"step {at['step']}: loss {at['loss']:.3g}" if at["step"]
              else f"the guess: loss {at['loss']:.3g}")
        axis.scatter(x, y, s=7, color=BLUE, alpha=0.55, linewidths=0)
        if before:
            axis.plot(ends, before["weight"] * ends + before["bias"], color=MUTED, linewidth=1)
        axis.plot(ends, at["weight"] * ends + at["bias"], color=ORANGE, linewidth=2)
        axis.text(0.04, 0.93, f"y = {at['weight']:.2f}·x + {at['bias']:.2f}", fontsize=8.5,
                  color=INK, transform=axis.transAxes, va="top")
        before = at
    for axis in axes.flat[len(found["path"]):]:
        axis.set_axis_off()
        axis.text(0.05, 0.95, "Blue: the points.\nOrange: the line.\nGray: the line one\n"
                  "step earlier.", fontsize=9, color=INK, transform=axis.transAxes, va="top",
                  linespacing=1.5)


def draw_surface(figure, found: dict) -> None:
    """The loss over weight and bias, and the path on it; the loss by step beside it."""
    x, y = noisy_points(found["seed"])
    surface, curve = figure.subplots(1, 2, width_ratios=(1.6, 1))
    plain(surface, "The loss of every line: each step goes straight downhill", "weight", "bias")
    path = np.array([[at["weight"], at["bias"]] for at in found["path"]])
    best = found["best"]
    weights, biases = (np.linspace(min(centre - 1.9, *steps) - 0.1, max(centre + 1.9, *steps) + 0.1,
                                   121)
                       for centre, steps in ((best["weight"], path[:, 0]),
                                             (best["bias"], path[:, 1])))
    W, B = np.meshgrid(weights, biases)
    loss = ((W[..., None] * x + B[..., None] - y) ** 2).mean(axis=-1)
    levels = best["loss"] + np.array([0.0, 0.02, 0.1, 0.3, 0.7, 1.3, 2.1, 3.1, 4.3, 5.7, 7.3, 9.1])
    surface.contourf(W, B, loss, levels=levels, cmap="Blues_r", extend="max")
    surface.contour(W, B, loss, levels=levels, colors="white", linewidths=0.6)
    surface.plot(*path.T, color=ORANGE, linewidth=1.8, marker="o", markersize=5)
    for step in (0, 1, 2, 3, len(path) - 1):
        surface.annotate(str(step), path[step], (7, 5), textcoords="offset points", fontsize=9,
                         color=ORANGE, weight="bold")
    surface.plot(best["weight"], best["bias"], marker="*", markersize=13, color=GREEN,
                 markeredgecolor="white")
    surface.annotate(f"best line for these points\n{best['weight']:.3f}, {best['bias']:.3f}",
                     (best["weight"], best["bias"]), (-14, 14), textcoords="offset points",
                     ha="right", fontsize=9, color="white")
    plain(curve, "The loss by step: big steps first, then small ones", "step", "")
    losses = [at["loss"] for at in found["path"]]
    curve.plot(losses, color=ORANGE, marker="o", markersize=4)
    curve.axhline(best["loss"], color=GREEN, linewidth=1, linestyle=(0, (4, 3)))
    curve.text(len(losses) - 1, best["loss"] * 1.12, "the best line's", ha="right", fontsize=9,
               color=GREEN)
    curve.set_yscale("log")
    plain_ticks(curve)
    curve.set_xticks(range(len(losses)))
