"""spam.png: errors of rules and of learning, telling words, confusions, calibration."""

from pathlib import Path

from npgpt.runs.lessons.axes import BLUE, GREEN, INK, MUTED, ORANGE, plain
from npgpt.runs.picture import save_picture


def draw_spam(found: dict, file: Path) -> None:
    """found: what `learn_spam` returns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 9.4), dpi=120, layout="constrained")
    (errors, words), (confusions, calibrated) = figure.subplots(
        2, 2, width_ratios=(1, 1.15), height_ratios=(1.15, 1))
    draw_errors(errors, found)
    draw_words(words, found["telling"])
    draw_confusions(confusions, found["confusion"])
    draw_calibration(calibrated, found["calibration"])
    save_picture(figure, file)


def draw_errors(axis, found: dict) -> None:
    plain(axis, f"Wrong of {found['held_out']} held-out messages: a dot for each of five splits",
          y="per cent")
    axis.grid(False, axis="x")
    for place, (name, colour) in enumerate((("rules_error", MUTED), ("learned_error", BLUE),
                                            ("training_error", "#c9d6e6"))):
        mean = 100 * found[name]["mean"]
        axis.bar(place, mean, width=0.62, color=colour, zorder=1)
        dots = [100 * split[name] for split in found["splits"]]
        offsets = [place + 0.09 * (i - (len(dots) - 1) / 2) for i in range(len(dots))]
        axis.scatter(offsets, dots, s=22, color=INK, zorder=3)
        axis.text(place, max(dots) + 0.02 * 100 * found["rules_error"]["most"], f"{mean:.1f} %",
                  ha="center", va="bottom", fontsize=11, color=INK, weight="bold")
    axis.set_xticks(range(3), ["rules", "learned", "learned, on its\ntraining part"], fontsize=9.5)
    axis.set_ylim(0, 118 * found["rules_error"]["most"])


def draw_words(axis, telling: dict) -> None:
    plain(axis, "The words that tell most: weight in the score", "weight")
    axis.grid(False, axis="y")
    rows = [*telling["spam"], *telling["ham"][::-1]]
    weights = [weight for _, weight in rows]
    axis.barh(range(len(rows)), weights, height=0.7,
              color=[ORANGE if weight > 0 else GREEN for weight in weights])
    axis.axvline(0, color=INK, linewidth=0.8)
    for place, (word, weight) in enumerate(rows):
        axis.annotate(word, (0, place), (-5 if weight > 0 else 5, 0), textcoords="offset points",
                      ha="right" if weight > 0 else "left", va="center", fontsize=9, color=INK,
                      parse_math=False)
    axis.invert_yaxis()
    axis.set_yticks([])
    axis.text(0.99, 0.03, "green: wanted · orange: spam", transform=axis.transAxes, ha="right",
              fontsize=9, color=INK)


def draw_confusions(axis, confusion: dict) -> None:
    """Two tables of two by two, the mistakes in orange."""
    plain(axis, "What became of the held-out messages of the first split")
    axis.set_axis_off()
    axis.set(xlim=(0, 2.15), ylim=(2.45, -0.35))
    for place, (name, title) in enumerate((("rules", "rules"), ("learned", "learned"))):
        left, cells = place * 1.15, confusion[name]
        axis.text(left + 0.5, -0.12, title, ha="center", fontsize=11, color=INK, weight="bold")
        for row, (kind, right, wrong, words) in enumerate((
                ("spam", "spam_found", "spam_missed", ("caught", "let in")),
                ("wanted", "ham_let_through", "ham_called_spam", ("let in", "lost")))):
            for column, (key, word, colour) in enumerate((
                    (right, words[0], "#dcebdf"), (wrong, words[1], "#f8dcc2"))):
                axis.add_patch(rectangle(left + column * 0.5, row * 1.1, 0.48, 0.95, colour))
                axis.text(left + column * 0.5 + 0.24, row * 1.1 + 0.42, str(cells[key]),
                          ha="center", va="center", fontsize=17, color=INK)
                axis.text(left + column * 0.5 + 0.24, row * 1.1 + 0.76, f"{kind}, {word}",
                          ha="center", va="center", fontsize=8.5, color=INK)


def rectangle(x: float, y: float, width: float, height: float, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=colour, edgecolor="none")


def draw_calibration(axis, bins: list[dict]) -> None:
    plain(axis, "Calibration: of the messages called x % spam, y % are", "probability it gave, %",
          "spam among them, %")
    axis.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axis.plot([100 * each["said"] for each in bins], [100 * each["spam"] for each in bins],
              color=BLUE, marker="o", markersize=7)
    for each in bins:
        axis.annotate(f"{each['count']} messages", (100 * each["said"], 100 * each["spam"]),
                      (9, -12), textcoords="offset points", fontsize=8.5, color=INK)
    axis.set(xlim=(0, 112), ylim=(-4, 104))
