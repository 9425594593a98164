"""A picture of where each attention head looks."""

from pathlib import Path

from npgpt.runs.curves import INK
from npgpt.runs.picture import save_picture

BLUE = ("#f6f9fc", "#9fc3e6", "#2f6db3", "#10294a")


def draw_attention(maps: list, labels: list[str], file: Path) -> None:
    """A PNG of `maps`, one (H, T, T) array of probabilities per block: a row of panels per
    layer, a panel per head. A token's row is darkest where its attention is highest;
    `labels` are the T tokens."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm
    from matplotlib.figure import Figure

    T, layers, heads = len(labels), len(maps), len(maps[0])
    side = min(max(1.3, 0.17 * T), 3.2) if T <= 40 else 2.2
    side = min(side, 40 / heads)
    figure = Figure(figsize=(side * heads + 1.9, side * layers + 0.9), dpi=110)
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.05)
    axes = figure.subplots(layers, heads, squeeze=False)
    blue = LinearSegmentedColormap.from_list("blue", BLUE)
    size = min(8.5, 72 * side / T * 0.62)
    for layer, row in enumerate(axes):
        for head, axis in enumerate(row):
            image = axis.imshow(maps[layer][head], cmap=blue, norm=PowerNorm(0.5, 0, 1))
            axis.set_xticks([])
            axis.set_yticks([])
            for spine in axis.spines.values():
                spine.set_color("#d5dbe0")
            if layer == 0:
                axis.set_title(f"head {head}", fontsize=9, color=INK)
            if head == 0:
                axis.set_ylabel(f"layer {layer}", fontsize=9, color=INK)
            if head == 0 and size >= 4:
                axis.set_yticks(range(T), labels, fontsize=size, color=INK, parse_math=False)
            if layer == layers - 1 and size >= 4:
                axis.set_xticks(range(T), labels, fontsize=size, color=INK, parse_math=False,
                                rotation=90 if max(map(len, labels)) > 1 else 0)
            axis.tick_params(length=0, pad=2)
    bar = figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01, aspect=30)
    bar.set_label("share of attention, from row to column", fontsize=8.5, color=INK)
    bar.set_ticks([0, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    bar.ax.tick_params(labelsize=8, colors=INK, length=0)
    bar.outline.set_visible(False)
    save_picture(figure, file)
