"""How much memory a training step takes, against the context length."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.benchmarks import picture, step
from npgpt.benchmarks.machine import describe, machine
from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config

CHILD = "from npgpt.benchmarks.memory import print_peaks; print_peaks()"


def measure(lengths: list[str], steps: int) -> dict[str, Any]:
    """The record; each figure is the peak of a process of its own, Python and its
    libraries included. InputError for a length that is not a whole number."""
    for length in lengths:
        if not length.isdigit() or int(length) < 1:
            raise InputError(f"context length {length!r}: give whole numbers, as in 64,256")
    contenders = ["npgpt", "torchgpt.GPT"] if find_spec("torch") else ["npgpt"]
    result: dict[str, Any] = {"bench": "memory", "steps": steps, "peak_bytes": {}}
    (layers, heads, channels, _, batch), _, _ = step.SIZES["M"]
    for contender in contenders:
        peaks = {}
        for length in lengths:
            shape = [layers, heads, channels, int(length), batch]
            child = subprocess.run(
                [sys.executable, "-c", CHILD, contender, json.dumps(shape), str(steps)],
                capture_output=True, text=True)
            if child.returncode:
                said = child.stderr.strip().splitlines() or ["memory may be short"]
                raise InputError(f"{contender} with context {length} ended with status"
                                 f" {child.returncode}: {said[-1]}")
            peaks[length] = [int(line) for line in child.stdout.split()]
            print(f"{contender}, context {length}", file=sys.stderr)
        result["peak_bytes"][contender] = peaks
    if find_spec("torch"):
        import torch  # noqa: F401  (so that its version is recorded)
    result["machine"] = machine()
    return result


def print_peaks() -> None:
    """Print this process's peak in bytes after each step. The command line gives a
    contender, the shape as in `step.SIZES`, as JSON, and the number of steps."""
    import resource

    name, shape, steps = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    layers, heads, channels, context_length, batch = shape
    config = Config(step.VOCABULARY, context_length, layers, heads, channels)
    ids = np.random.default_rng(0).integers(0, step.VOCABULARY, (batch, context_length))
    targets = np.roll(ids, -1, axis=1)
    if name == "npgpt":
        step.tune_allocator()
        run = step.numpy_step(config, ids, targets)
    else:
        import torch

        run = step.torch_step(config, torch.from_numpy(ids), torch.from_numpy(targets))
    unit = 1 if sys.platform == "darwin" else 1024
    for _ in range(steps):
        run()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def report(result: dict[str, Any]) -> Report:
    rows = [[contender, length, f"{each[0] / 1e6:,.0f} MB", f"{each[-1] / 1e6:,.0f} MB"]
            for contender, peaks in result["peak_bytes"].items() for length, each in peaks.items()]
    heads = ["", "context", "after 1 step", f"after {result['steps']} steps"]
    return [describe(result["machine"]), Table(heads, rows, "Peak memory, M")]


def draw(result: dict[str, Any], file: Path) -> None:
    series = {name: [(int(length), each[-1] / 1e6) for length, each in peaks.items()]
              for name, peaks in result["peak_bytes"].items()}
    picture.save_lines(file, "peak memory of a step, M", series, "context", "MB")
