"""Pictures of runs: loss.png, duet.png, and several runs in one."""

import math
from pathlib import Path

from npgpt.files import read_json
from npgpt.runs.checkpoint import read_settings
from npgpt.runs.log import read_log
from npgpt.runs.picture import save_picture
from npgpt.text.prepare.sources import printable

NO_PICTURE = 1e100  # axes cannot reach as far
INK = "#22303c"
GRID = "#e3e7ea"
NUMPY = "#7fc4ea"
TORCH = "#b3360b"
VALIDATION = "#d9730d"
TRAIN = "#4c78a8"
# what else the log of a fine-tuning may have, each in a panel of its own with this name
MORE = {"reward": "mean reward", "chosen": "chosen first", "old_loss": "perplexity, old text"}
SEVERAL = ("#2f6db3", "#d9730d", "#2a9d6f", "#a03c78", "#7a6a4f", "#555b66")


def draw_run(path: Path) -> None:
    """loss.png: training and validation loss, learning rate, gradient norm; of a fine-tuning
    also how its answers fare, and what it forgets."""
    lines = read_log(path)
    if not any("train_loss" in line or "numpy_loss" in line for line in lines):
        return
    names = [name for name in MORE if any(name in line for line in lines)]
    more = [1.6] * len(names)
    figure, (top, *others, middle, bottom) = panels(
        path, heights=(4, *more, 1.25, 1.25), height=7.2 + sum(more))
    for axis, name in zip(others, names):
        steps, values = column(lines, name)
        if name == "old_loss":
            values = [math.exp(min(value, 700.0)) for value in values]
            axis.set_yscale("log")
            plain_ticks(axis)
            note(axis, values[-1], f"{values[-1]:.3g}", VALIDATION)
        axis.plot(steps, values, color=VALIDATION, linewidth=1.4,
                  marker="." if len(values) < 100 else None)
        axis.set_ylabel(MORE[name])
    draw_loss(top, lines, TRAIN, VALIDATION, "training batch", "validation")
    draw_untrained(top, path)
    middle.plot(*column(lines, "learning_rate"), color=TRAIN, linewidth=1.4)
    middle.set_ylabel("learning rate")
    middle.set_ylim(bottom=0)
    bottom.plot(*column(lines, "grad_norm"), color=TRAIN, linewidth=0.9)
    if any(value > 0 for value in column(lines, "grad_norm")[1]):
        bottom.set_yscale("log")
        plain_ticks(bottom)
    bottom.set_ylabel("gradient norm")
    settings = (read_settings(path) or {}).get("settings")
    clip = settings.get("clip") if isinstance(settings, dict) else None
    if isinstance(clip, int | float):
        bottom.axhline(clip, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        note(bottom, clip, f"clipped above {clip:g}")
    finish(figure, bottom, path / "loss.png", legend=top)


def draw_duet(path: Path, budget: float) -> None:
    """duet.png: the losses of both packages, and their difference on a log axis."""
    lines = read_log(path)
    if not any("numpy_loss" in line for line in lines):
        return
    figure, (top, bottom) = panels(path, heights=(3, 1.6), height=6.4)
    top.plot(*column(lines, "numpy_loss"), color=NUMPY, linewidth=4.5, label="NumPy",
             solid_capstyle="round")
    top.plot(*column(lines, "torch_loss"), color=TORCH, linewidth=0.9, label="PyTorch")
    steps, values = column(lines, "validation_loss")
    if steps:
        top.plot(steps, values, color=INK, marker="o", markersize=4, linewidth=0,
                 label="validation")
        note(top, values[-1], f"validation {values[-1]:.3f}")
    top.set_ylabel("loss, nats a token")
    draw_untrained(top, path)
    steps, values = column(lines, "difference")
    least = min((value for value in values if value > 0), default=1e-17)
    bottom.plot(steps, [value or math.nan for value in values], color=INK, linewidth=0.9,
                marker=".", markersize=2)
    bottom.set_yscale("log")
    draw_zeros(bottom, [step for step, value in zip(steps, values) if value == 0], least / 2)
    bottom.minorticks_off()
    bottom.set_ylabel("|NumPy − PyTorch|, nats")
    bottom.axhline(budget, color=TORCH, linewidth=0.9, linestyle=(0, (4, 3)))
    note(bottom, budget, f"budget {budget:g}", TORCH)
    bottom.set_ylim(least / 3, budget * 4)
    finish(figure, bottom, path / "duet.png", legend=top)


def draw_zeros(axis, steps: list[int], y: float) -> None:
    """Marks at the foot of a log axis, which has no place for 0."""
    if steps:
        axis.plot(steps, [y] * len(steps), color=NUMPY, marker="|", markersize=5, linewidth=0)
        note(axis, y, f"exactly 0: {len(steps)} steps" if len(steps) > 1 else "exactly 0: 1 step")


def draw_runs(paths: list[Path], file: Path) -> None:
    """Several runs' losses in one picture: training thin, validation with dots."""
    figure, (axis,) = panels(None, heights=(1,), height=5)
    names = [path.name for path in paths]
    logs = [read_log(path) for path in paths]
    # the same for all, or one run would look calmer than another
    lengths = [len(column(lines, "train_loss", "numpy_loss")[0]) for lines in logs]
    reach = min(max(lengths) // 100, min(lengths) // 10)
    for i, (path, lines) in enumerate(zip(paths, logs)):
        label = printable(path.name if names.count(path.name) == 1 else str(path))
        color = SEVERAL[i % len(SEVERAL)]
        # matplotlib leaves out a label that begins with _
        draw_loss(axis, lines, color, color, None, f" {label}", reach)
    mean = f", their mean over {2 * reach + 1} steps (thick)" if reach else ""
    axis.set_title(f"training batches (thin){mean}, validation (dots)", loc="left",
                   fontsize=11, color=INK, pad=10)
    finish(figure, axis, file, legend=axis)


def draw_loss(
    axis, lines, train_color, validation_color, train_label, validation_label, reach=None
):
    """The batches' losses thin, with their mean over 2 · reach + 1 steps thick, and the
    validation losses as dots. reach: by default a hundredth of the steps."""
    steps, values = column(lines, "train_loss", "numpy_loss")
    reach = len(values) // 100 if reach is None else reach
    axis.plot(steps, values, color=train_color, linewidth=0.7, alpha=0.35 if reach else 1,
              label=None if reach else train_label)
    if reach:
        axis.plot(steps, smooth(values, reach), color=train_color, linewidth=1.5,
                  label=train_label and f"{train_label}, mean over {2 * reach + 1} steps")
    steps, values = column(lines, "validation_loss")
    axis.plot(steps, values, color=validation_color, marker="o", markersize=4.5,
              linewidth=1, linestyle=(0, (2, 2)), label=validation_label)
    if values:
        note(axis, values[-1], f"{values[-1]:.3f}", validation_color)
    axis.set_ylabel("loss, nats a token")


def draw_untrained(axis, path: Path) -> None:
    """A line at ln V, the loss of a model that gives every token the same probability."""
    config = path / "config.json"
    vocab_size = read_json(config).get("vocab_size", 0) if config.exists() else 0
    if vocab_size > 1:
        axis.axhline(math.log(vocab_size), color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        note(axis, math.log(vocab_size), f"ln {vocab_size}: untrained")


def panels(path: Path | None, heights: tuple, height: float):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, height), dpi=120, layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False,
                           gridspec_kw={"height_ratios": heights})[:, 0]
    for axis in axes:
        light(axis)
    if path is not None:
        axes[0].set_title(title(path), loc="left", fontsize=11, color=INK, pad=10,
                          parse_math=False)  # a name may hold $
    return figure, axes


def light(axis) -> None:
    """A light grid, no frame but the line below."""
    axis.grid(color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(GRID)


def title(path: Path) -> str:
    about = read_settings(path) or {}
    name = printable(path.name)
    try:
        settings, data = about["settings"], printable(about["data"]["name"])
        return (
            f"{name}: {data}, {about['parameters'] / 1e6:.2f} M parameters, "
            f"batch {settings['batch_size']} × {settings['context_length']}, {settings['dtype']}"
        )
    except (KeyError, TypeError, AttributeError):  # not as a run of ours writes it
        return name


def plain_ticks(axis) -> None:
    """1, 2, 5, 10 … on a log axis, not powers of ten."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.yaxis.set_minor_locator(NullLocator())


def note(axis, y: float, text: str, color: str = INK) -> None:
    """A note at the right edge, outside the lines."""
    axis.annotate(text, (1.01, y), xycoords=("axes fraction", "data"), va="center",
                  fontsize=8.5, color=color, annotation_clip=False)


def finish(figure, lowest, file: Path, legend) -> None:
    lowest.set_xlabel("step", color=INK)
    for axis in figure.axes:
        axis.yaxis.label.set_color(INK)
        axis.margins(x=0.01)
    drawn = legend.legend(loc="upper right", bbox_to_anchor=(1.0, 0.93), frameon=False,
                          fontsize=9.5, labelcolor=INK)
    for text in drawn.get_texts():
        text.set_parse_math(False)
    figure.align_ylabels()
    save_picture(figure, file)


def column(lines: list[dict], *names: str) -> tuple[list, list]:
    """Steps and values of the lines that have one of these names; no infinities."""
    steps, values = [], []
    for line in lines:
        value = next((line[name] for name in names if line.get(name) is not None), None)
        if isinstance(value, dict):  # a duet's: one of each package
            value = value.get("numpy")
        if value is not None and abs(value) < NO_PICTURE:
            steps.append(line["step"])
            values.append(value)
    return steps, values


def smooth(values: list[float], reach: int) -> list[float]:
    """The mean of each value with as many as `reach` on either side."""
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def last_figures(lines: list[dict]) -> dict:
    """The last step, training and validation loss, and the lowest validation loss."""
    _, train = column(lines, "train_loss", "numpy_loss")
    _, validation = column(lines, "validation_loss")
    return {
        "step": lines[-1]["step"],
        "train_loss": train[-1] if train else None,
        "validation_loss": validation[-1] if validation else None,
        "lowest_validation_loss": min(validation, default=None),
    }
