"""A picture of what each attention head attends to."""

from pathlib import Path
from typing import Any

from npgpt.runs.curves import INK
from npgpt.runs.picture import save_picture

VIOLET = ("#fbfafe", "#cbb9ee", "#7d58c2", "#2d1457")
INCHES = 0.27  # a token's share of a panel's side, where there is room
GAP = 0.2      # between two panels; twice this above each, for its title


def draw_attention(maps: list, labels: list[str], file: Path) -> None:
    """A PNG of `maps`, one (H, T, T) array of probabilities per block: a panel per head, a
    row of panels per block. A row of a panel is a query, darkest at the token that it
    attends to most; `labels` are the T tokens."""
    save_picture(attention_figure(maps, labels), file)


def attention_figure(maps: list, labels: list[str]) -> Any:
    """The figure of `draw_attention`. Blocks and heads are counted from 1."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm
    from matplotlib.figure import Figure

    T, blocks, heads = len(labels), len(maps), len(maps[0])
    side = min(max(INCHES * T, 2.4), 7.0, 42 / heads, 42 / blocks)
    every = -(-T * 0.15 // side)  # label each token, or every second, third, …
    ticks = range(0, T, int(max(every, 1)))
    words = [labels[i] for i in ticks]
    size = min(11.0, 72 * side / len(words) * 0.6)
    rotation = 90 if max(map(len, labels)) > 1 else 0
    longest = max(sum(0.62 if each.isascii() else 1 for each in word) for word in words)
    left = longest * size / 72 + 0.2  # inches
    bottom = left if rotation else 0.4
    columns, high = heads * (side + GAP), blocks * (side + 2 * GAP)
    figure = Figure(figsize=(left + columns + 1.3, bottom + high + 0.15), dpi=130)
    width, height = figure.get_size_inches()
    axes = figure.subplots(blocks, heads, squeeze=False, gridspec_kw={
        "left": left / width, "right": (left + columns - GAP) / width, "wspace": GAP / side,
        "bottom": bottom / height, "top": (bottom + high - 2 * GAP) / height,
        "hspace": 2 * GAP / side})
    colours = LinearSegmentedColormap.from_list("violet", VIOLET)
    for block, row in enumerate(axes):
        for head, axis in enumerate(row):
            image = axis.imshow(maps[block][head], cmap=colours, norm=PowerNorm(0.5, 0, 1))
            axis.set_title(f"block {block + 1}, head {head + 1}", fontsize=11, color=INK)
            for spine in axis.spines.values():
                spine.set_color("#d5dbe0")
            axis.set_xticks(ticks if block == blocks - 1 else [])
            axis.set_yticks(ticks if head == 0 else [])
            if head == 0:
                axis.set_yticklabels(words, fontsize=size, color=INK, parse_math=False)
            if block == blocks - 1:
                axis.set_xticklabels(words, fontsize=size, color=INK, parse_math=False,
                                     rotation=rotation)
            axis.tick_params(length=0, pad=3)
    top = bottom + high - 2 * GAP
    tall = min(top - bottom, 5.0)
    place = figure.add_axes(((left + columns + 0.05) / width, (top - tall) / height,
                             0.2 / width, tall / height))
    bar = figure.colorbar(image, cax=place)
    bar.set_label("attention weight, from row to column", fontsize=10, color=INK)
    bar.set_ticks([0, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    bar.set_ticklabels(["0", "0.01", "0.05", "0.1", "0.25", "0.5", "1"])
    bar.ax.tick_params(labelsize=9.5, colors=INK, length=0)
    bar.outline.set_visible(False)
    return figure
