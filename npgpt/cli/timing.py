"""What the benchmarks share: contenders in turn, ratios, the machine."""

import io
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from npgpt.files import write_atomically

OURS, OTHERS = "#0063a8", "#c9d0d9"  # in a picture


def interleave(contenders: dict[str, Callable[[], Any]], rounds: int,
               warm: int = 1, timed: int = 1) -> dict[str, list[float]]:
    """Seconds of each contender, one figure a round. In every round each
    runs `warm` times unmeasured, then `timed` times; the order turns."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            run = contenders[name]
            for _ in range(warm):
                run()
            start = time.perf_counter()
            for _ in range(timed):
                run()
            times[name].append((time.perf_counter() - start) / timed)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return times


def ratio(times: dict[str, list[float]], one: str, other: str) -> dict[str, float]:
    """one / other within each round: median and quartiles."""
    each = sorted(a / b for a, b in zip(times[one], times[other]))
    return {"median": statistics.median(each), "low": each[len(each) // 4],
            "high": each[(3 * len(each)) // 4]}


def summary(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: median, least and most."""
    return {"median_ms": 1e3 * statistics.median(seconds), "least_ms": 1e3 * min(seconds),
            "most_ms": 1e3 * max(seconds)}


def spread(row: dict[str, float] | None) -> str:
    """0.71 (0.70–0.73): the median and the middle half."""
    if row is None:
        return "–"
    return f"{row['median']:.2f} ({row['low']:.2f}–{row['high']:.2f})"


def machine() -> dict[str, Any]:
    """What a ratio depends on: processor, threads, instruction sets, versions."""
    blas: dict[str, Any] = next(
        (pool for pool in threadpool_info() if pool["user_api"] == "blas"), {})
    found: dict[str, Any] = {
        "date": date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(),
        "system": platform.system(), "python": platform.python_version(),
        "numpy": np.__version__, "numpy_blas": blas.get("internal_api", "unknown"),
        "numpy_instructions": blas.get("architecture", "unknown"),
    }
    if "torch" in sys.modules:
        import torch

        found |= {"torch": torch.__version__, "torch_threads": torch.get_num_threads(),
                  "torch_instructions": torch.backends.cpu.get_cpu_capability()}
    if "transformers" in sys.modules:
        found["transformers"] = sys.modules["transformers"].__version__
    return found


def processor() -> str:
    """The processor's own name, and its family and model, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line.split(":", 1) for line in file if ":" in line]
    except OSError:
        lines = []
    told = {name.strip(): value.strip() for name, value in lines}
    name = told.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in told:
        name += f" (family {told['cpu family']}, model {told.get('model')})"
    return name


def instructions(found: dict[str, Any]) -> str:
    """AVX2 (Haswell): what NumPy's products use. OpenBLAS names a processor."""
    core_type = str(found["numpy_instructions"])
    sets = {"Haswell": "AVX2", "Zen": "AVX2", "SkylakeX": "AVX-512", "Cooperlake": "AVX-512",
            "SapphireRapids": "AVX-512"}
    return f"{sets[core_type]} ({core_type})" if core_type in sets else core_type


def describe(found: dict[str, Any], *others: dict[str, Any]) -> str:
    """The machine in one line; `others` are records of it with other instructions."""
    used = " or ".join(dict.fromkeys(map(instructions, (found, *others))))
    line = (f"{found['processor']}, {found['cores']} cores; NumPy {found['numpy']},"
            f" {found['numpy_blas']} with {used}")
    if "torch" in found:
        line += f"; torch {found['torch']} ({found['torch_instructions']})"
    return line


def print_table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """A table on stdout, the first column to the left."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for i, head in enumerate(heads):
        table.add_column(head, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def save_picture(path: Path, titles_and_times: dict[str, dict[str, list[float]]]) -> None:
    """One panel a title: a bar for each contender's median, its spread as a line."""
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
    """A line for each contender, from 0 up."""
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
