"""sequences.png: how a rule is learned, and where the decoder looks when it follows it."""

from pathlib import Path

import numpy as np

from npgpt.runs.attention_picture import VIOLET
from npgpt.runs.lessons.axes import BLUE, GREEN, INK, MUTED, plain
from npgpt.runs.picture import save_picture

WRITES = {"reverse": "backwards", "copy": "as it is", "sort": "in alphabetical order"}


def draw_sequences(found: dict, maps: list, text: str, wanted: str, file: Path) -> None:
    """found: what `learn_sequences` returns. maps: each decoder block's cross-attention
    (H, T, S) for one pair, the source `text` and the target `wanted`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5.6), dpi=120, layout="constrained")
    curve, *panels = figure.subplots(1, 1 + len(maps), width_ratios=(1.15, *[1] * len(maps)))
    draw_curve(curve, found)
    for block, (axis, probs) in enumerate(zip(panels, maps), 1):
        draw_map(axis, np.mean(probs, axis=0), text, wanted)
        axis.set_title(f"decoder block {block}: where it looks in the source,\n"
                       f"mean of {len(probs)} heads", loc="left", fontsize=10, color=INK)
    figure.suptitle(
        f"{found['length']} letters, written {WRITES[found['task']]}: "
        f"{found['exact']:.1%} of {found['held_out']:,} new sequences without a mistake",
        x=0.01, ha="left", fontsize=12.5, color=INK)
    save_picture(figure, file)


def draw_curve(axis, found: dict) -> None:
    plain(axis, "Right on new sequences", "training step", "per cent")
    steps = [row["step"] for row in found["curve"]]
    for name, color, words in (("tokens", BLUE, "letters"), ("exact", GREEN, "whole sequences")):
        axis.plot(steps, [100 * row[name] for row in found["curve"]], color=color, marker="o",
                  markersize=3.5, label=words)
    axis.axhline(100 * found["guess"], color=MUTED, linewidth=1, linestyle=(0, (4, 3)),
                 label="letters, if their order is unknown")
    axis.set_ylim(-2, 102)
    axis.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    axis.xaxis.get_major_locator().set_params(integer=True)


def draw_map(axis, probs: np.ndarray, text: str, wanted: str) -> None:
    """A row for each token that is written, a column for each letter of the source."""
    from matplotlib.colors import LinearSegmentedColormap

    axis.imshow(probs, cmap=LinearSegmentedColormap.from_list("violet", VIOLET), vmin=0, vmax=1)
    rows = [*wanted, "end"]
    axis.set_xticks(range(len(text)), list(text), fontsize=9, color=INK)
    axis.set_yticks(range(len(rows)), rows, fontsize=9, color=INK)
    axis.set_xlabel("the source", fontsize=9, color=INK)
    axis.set_ylabel("what is written", fontsize=9, color=INK)
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_color("#d5dbe0")
