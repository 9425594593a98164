"""npgpt bench memory: how much a training step holds, against the context length."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from npgpt.cli import options, timing
from npgpt.cli.bench_step import SIZES, JsonFile, Picture
from npgpt.cli.output import check_file, print_json
from npgpt.errors import InputError
from npgpt.files import write_atomically

CHILD = """
import resource, sys
from npgpt.cli import bench_step
name, size, steps = sys.argv[1], eval(sys.argv[2]), int(sys.argv[3])
import numpy as np
from npgpt.families.gpt2 import Config
layers, heads, channels, context, batch = size
config = Config(bench_step.VOCABULARY, context, layers, heads, channels)
ids = np.random.default_rng(0).integers(0, bench_step.VOCABULARY, (batch, context))
targets = np.roll(ids, -1, axis=1)
if name == "npgpt":
    bench_step.tune_allocator()
    run = bench_step.numpy_step(config, ids, targets)
else:
    import torch
    run = bench_step.torch_step(config, torch.from_numpy(ids), torch.from_numpy(targets))
unit = 1 if sys.platform == "darwin" else 1024
for _ in range(steps):
    run()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def memory(
    context_lengths: Annotated[str, typer.Option(help="Each is measured.", metavar="LIST")]
    = "64,128,256,512",
    steps: Annotated[int, typer.Option(help="Steps of each process.", min=1)] = 8,
    record: JsonFile = None,
    plot: Picture = None,
    as_json: options.AsJson = False,
) -> None:
    """Peak memory of a training step of M against the context length.

    Each figure is the peak of a process of its own (6 layers, 6 heads, 384
    channels, batch 8), Python and its libraries included.

    \b
    npgpt bench memory --context-lengths 64,256
    """
    check_file(record, ".json")
    check_file(plot, ".png")
    lengths = context_lengths.split(",")
    for length in lengths:
        if not length.isdigit() or int(length) < 1:
            raise InputError(f"context length {length!r}: give whole numbers, as in 64,256")
    contenders = ["npgpt", "torchgpt.GPT"] if find_spec("torch") else ["npgpt"]
    result: dict[str, Any] = {"bench": "memory", "steps": steps, "peak_bytes": {}}
    (layers, heads, channels, _, batch), _, _ = SIZES["M"]
    for contender in contenders:
        peaks = {}
        for length in lengths:
            shape = (layers, heads, channels, int(length), batch)
            child = subprocess.run(
                [sys.executable, "-c", CHILD, contender, repr(shape), str(steps)],
                capture_output=True, text=True)
            if child.returncode:
                said = child.stderr.strip().splitlines() or ["memory may be short"]
                raise InputError(f"{contender} with context {length} ended with status"
                                 f" {child.returncode}: {said[-1]}")
            peaks[length] = [int(line) for line in child.stdout.split()]
            print(f"{contender}, context {length}", file=sys.stderr)
        result["peak_bytes"][contender] = peaks
    import_torch_for_its_version()
    result["machine"] = timing.machine()
    if record is not None:
        write_atomically(record, json.dumps(result, indent=1) + "\n")
    if plot is not None:
        series = {name: [(int(length), each[-1] / 1e6) for length, each in peaks.items()]
                  for name, peaks in result["peak_bytes"].items()}
        timing.save_lines(plot, "peak memory of a step, M", series, "context", "MB")
    if as_json:
        print_json(result)
        return
    print(timing.describe(result["machine"]))
    rows = [[contender, length, f"{each[0] / 1e6:,.0f} MB", f"{each[-1] / 1e6:,.0f} MB"]
            for contender, peaks in result["peak_bytes"].items() for length, each in peaks.items()]
    timing.print_table(
        "Peak memory, M", ["", "context", "after 1 step", f"after {steps} steps"], rows)


def import_torch_for_its_version() -> None:
    if find_spec("torch"):
        import torch  # noqa: F401
