"""words.png: where the vectors lie, projected to a plane."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from npgpt.runs.lessons.axes import BLUE, GREEN, GRID, INK, MUTED, ORANGE, plain
from npgpt.runs.lessons.words import mean_of
from npgpt.runs.picture import save_picture
from npgpt.text.corpora.words import ANALOGIES, FORMS

PURPLE, RED = "#7a5195", "#c0392b"
COLOURS = {"people": ORANGE, "countries": BLUE, "adjectives": PURPLE, "verbs": GREEN,
           "animals": RED}


def draw_words(found: dict, pca: Callable, file: Path) -> None:
    """found: what `learn_words` returns; pca: a function of NumPy's arrays."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 11), dpi=120, layout="constrained")
    (everything, curve), (people, capitals) = figure.subplots(2, 2, width_ratios=(1.25, 1))
    vectors = dict(zip(found["words"], np.array(found["vectors"])))
    draw_all(everything, vectors, pca)
    draw_accuracy(curve, found)
    draw_pairs(people, vectors, pca, "gender", ORANGE, "From male to female, one direction")
    draw_pairs(capitals, vectors, pca, "capital", BLUE, "From country to capital, one direction")
    save_picture(figure, file)


def draw_all(axis, vectors: dict, pca: Callable) -> None:
    """The words of the grammar's tables, by kind."""
    words = [(word, kind) for kind, (table, _, _) in FORMS.items()
             for shapes, _ in table for word in shapes]
    points, _, ratios = pca(np.array([vectors[word] for word, _ in words]))
    plain(axis, f"All words, from {len(next(iter(vectors.values())))} channels to a plane that"
          f" has {ratios.sum():.0%} of their spread")
    for kind, colour in COLOURS.items():
        rows = np.array([own == kind for _, own in words])
        axis.scatter(*points[rows].T, s=14, color=colour, label=kind, alpha=0.8, linewidths=0)
    for i in apart(points, 0.085, 0.024):
        word, kind = words[i]
        axis.annotate(word, points[i], (3, 3), textcoords="offset points", fontsize=7.5,
                      color=COLOURS[kind])
    axis.legend(frameon=False, fontsize=9, labelcolor=INK, loc="best")
    no_ticks(axis)


def apart(points: np.ndarray, x: float, y: float) -> list[int]:
    """The points that have room for a word, in units of the whole width and height."""
    at = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    chosen: list[int] = []
    for i, point in enumerate(at):
        if all(abs(point - at[j])[0] > x or abs(point - at[j])[1] > y for j in chosen):
            chosen.append(i)
    return chosen


def draw_pairs(axis, vectors: dict, pca: Callable, relation: str, colour: str, title: str) -> None:
    """An arrow for each pair of a relation, from left to right."""
    pairs = ANALOGIES[relation]
    points, _, ratios = pca(np.array([vectors[word] for pair in pairs for word in pair]))
    ends = points.reshape(len(pairs), 2, 2)
    if (ends[:, 1, 0] - ends[:, 0, 0]).mean() < 0:
        ends = ends * [-1, 1]
    plain(axis, f"{title}, in a plane with {ratios.sum():.0%} of the spread")
    for start, end in ends:
        axis.annotate("", end, start, arrowprops={
            "arrowstyle": "-|>", "color": MUTED, "linewidth": 0.9, "shrinkA": 3, "shrinkB": 3})
    gap = 0.026 * np.ptp(ends[..., 1])
    for side, own, align in ((0, INK, "right"), (1, colour, "left")):
        axis.scatter(*ends[:, side].T, s=20, color=own, linewidths=0, zorder=3)
        x = ends[:, side, 0].min() if side == 0 else ends[:, side, 0].max()
        for row, y in zip(np.argsort(ends[:, side, 1]), spaced(ends[:, side, 1], gap)):
            away = -1 if side == 0 else 1
            axis.text(x + away * 0.05 * np.ptp(ends[..., 0]), y, pairs[row][side], ha=align,
                      va="center", fontsize=8.5, color=INK)
            axis.plot([x + away * 0.045 * np.ptp(ends[..., 0]), ends[row, side, 0]],
                      [y, ends[row, side, 1]], color=GRID, linewidth=0.8, zorder=0)
    axis.margins(0.22, 0.05)
    no_ticks(axis)


def spaced(heights: np.ndarray, gap: float) -> np.ndarray:
    """The heights in rising order, moved as little as gives each its gap."""
    found = np.sort(heights)
    for _ in range(200):
        near = np.maximum(gap - np.diff(found), 0) / 2
        found[:-1] -= near
        found[1:] += near
    return found


def draw_accuracy(axis, found: dict) -> None:
    """How many analogies are right, while it learns; beside it what counts alone know."""
    x = [100 * at["progress"] for at in found["path"]]
    plain(axis, "Analogies with the right word first, per cent", "training, per cent")
    for name in ANALOGIES:
        axis.plot(x, [100 * at["accuracy"][name] for at in found["path"]], linewidth=1,
                  color=MUTED, alpha=0.7)
    axis.plot(x, [100 * mean_of(at["accuracy"]) for at in found["path"]], linewidth=2.4,
              color=ORANGE, marker="o", markersize=4)
    level = 100 * mean_of(found["baselines"]["counts"])
    axis.axhline(level, color=BLUE, linewidth=1, linestyle=(0, (4, 3)))
    axis.text(100, level - 1.5, "neighbours counted, nothing learned", ha="right", va="top",
              fontsize=9, color=BLUE)
    axis.text(0.98, 0.06, f"orange: the mean of {len(ANALOGIES)} relations\ngray: each of them",
              ha="right", fontsize=9, color=INK, transform=axis.transAxes)
    axis.set_ylim(-2, 103)


def no_ticks(axis) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
