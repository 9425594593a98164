"""Models compared: a panel for each figure, a line for each row, the spread drawn."""

from pathlib import Path

from npgpt.runs.curves import INK, SEVERAL, light
from npgpt.runs.picture import save_picture
from npgpt.runs.seeds import SharedRow, Spread
from npgpt.text.prepare.sources import printable

# a figure, its panel's title, which way is better, how its number is written
PANELS = (
    ("exact_match", "exact match", "→", "{:.1%}"),
    ("answer_loss", "answer loss, nats a token", "←", "{:.3f}"),
    ("perplexity", "perplexity on the old corpus", "←", "{:.2f}"),
    ("grammatical", "grammatical sentences", "→", "{:.0%}"),
)


def draw_evaluation(rows: list[SharedRow], file: Path) -> None:
    """Write a PNG: a dot for each model; of runs that share a row a ring each, a line at their
    mean, and a bar from the least to the most. Figures that no row has get no panel."""
    from matplotlib.figure import Figure

    drawn = [each for each in PANELS if any(row.figures[each[0]] for row in rows)]
    down = -(-len(drawn) // 2)
    figure = Figure(figsize=(9, 0.6 + down * (0.9 + 0.36 * len(rows))), dpi=120,
                    layout="constrained")
    axes = figure.subplots(down, min(2, len(drawn)), sharey=True, squeeze=False).ravel()
    for axis, (name, title, better, form) in zip(axes, drawn):
        draw_panel(axis, rows, name, form)
        axis.set_title(f"{title}  ({better} better)", loc="left", fontsize=10, color=INK)
    for axis in axes[len(drawn):]:
        axis.set_visible(False)
    if any(len(row.rows) > 1 for row in rows):
        figure.supxlabel("ring: a run; line: the mean of the runs; bar: from the least to the most",
                         fontsize=9, color=INK)
    save_picture(figure, file)


def draw_panel(axis, rows: list[SharedRow], name: str, form: str) -> None:
    """One figure of all rows, the first at the top."""
    for at, row in enumerate(rows):
        spread = row.figures[name]
        if spread is not None:
            draw_spread(axis, at, row, name, spread, form)
    axis.set_yticks(range(len(rows)), [label(row) for row in rows])
    for text in axis.get_yticklabels():
        text.set_parse_math(False)  # a name may hold $
    axis.set_ylim(len(rows) - 0.5, -0.6)
    axis.margins(x=0.1)
    axis.locator_params(axis="x", nbins=5)
    if "%" in form:
        axis.set_xlim(-0.03, 1.03)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    light(axis)


def draw_spread(
    axis, at: int, row: SharedRow, name: str, spread: Spread, form: str
) -> None:
    color, several = SEVERAL[at % len(SEVERAL)], len(row.rows) > 1
    if several:
        axis.plot([spread.least, spread.most], [at, at], color=color, linewidth=2.5, alpha=0.45,
                  solid_capstyle="butt")
        axis.plot([getattr(each, name) for each in row.rows], [at] * len(row.rows), marker="o",
                  markersize=6, linewidth=0, markerfacecolor="none", markeredgecolor=color)
    axis.plot([spread.mean], [at], marker="|" if several else "o",
              markersize=12 if several else 6, markeredgewidth=2, color=color)
    axis.annotate(form.format(spread.mean), (spread.mean, at), xytext=(0, 7),
                  textcoords="offset points", ha="center", fontsize=8.5, color=color)


def label(row: SharedRow) -> str:
    """The name of a row, with its method where that is known."""
    return printable(row.name) + (f" ({printable(row.method)})" if row.method else "")
