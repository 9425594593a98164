"""Bars and lines of what was measured, as PNG."""

import io
import statistics
from pathlib import Path

from npgpt.files import write_atomically

OURS, OTHERS = "#0063a8", "#c9d0d9"


def save_bars(path: Path, titles_and_times: dict[str, dict[str, list[float]]]) -> None:
    """One panel per title: a bar for each contender's median, its spread as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4 * len(titles_and_times), 3.2), layout="constrained")
    axes = figure.subplots(1, len(titles_and_times), squeeze=False)
    for axis, (title, times) in zip(axes[0], titles_and_times.items()):
        names = list(times)[::-1]
        middles = [1e3 * statistics.median(times[name]) for name in names]
        spread = [[m - 1e3 * min(times[name]) for m, name in zip(middles, names)],
                  [1e3 * max(times[name]) - m for m, name in zip(middles, names)]]
        colours = [OURS if name.startswith("npgpt") else OTHERS for name in names]
        axis.barh(names, middles, color=colours, xerr=spread, ecolor="#4a5361")
        axis.set(title=title, xlabel="milliseconds")
        axis.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def save_lines(
    path: Path, title: str, series: dict[str, list[tuple[int, float]]], x: str, y: str
) -> None:
    """One line per contender, from 0 up."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axis = figure.subplots()
    for name, points in series.items():
        axis.plot(*zip(*sorted(points)), marker="o", label=name,
                  color=OURS if name.startswith("npgpt") else OTHERS)
    axis.set(title=title, xlabel=x, ylabel=y, ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    save(figure, path)


def save(figure, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, dpi=160, format="png")
    write_atomically(path, picture.getvalue())
