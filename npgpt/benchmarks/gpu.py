"""Training steps of torchgpt.GPT on a GPU: eager float32, eager bfloat16 and compiled
bfloat16 in turn."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from npgpt.benchmarks.report import Report, Table
from npgpt.errors import InputError

# GPT-2's 124 million, its vocabulary filled up to a multiple of 128
SIZES: dict[str, Any] = {
    "vocab_size": 50304, "context_length": 1024, "layers": 12, "heads": 12, "channels": 768}
SMOKE_SIZES: dict[str, Any] = {
    "vocab_size": 64, "context_length": 16, "layers": 1, "heads": 2, "channels": 16}
SMOKE = {"batch_size": 2, "rounds": 2, "steps": 2}


def measure(batch_size: int, steps: int, rounds: int, smoke: bool) -> dict[str, Any]:
    """The record; without a GPU its status is "not yet measured"."""
    import numpy as np
    import torch

    from npgpt.families import gpt2
    from npgpt.families.gpt2 import Config
    from npgpt.runs.run import count_parameters, versions
    from npgpt.runs.settings import complete
    from torchgpt.training import throughput

    there = torch.cuda.is_available()
    record: dict[str, Any] = {
        "status": "smoke" if smoke else "measured" if there else "not yet measured",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": {**versions(), "torch": torch.__version__},
    }
    if record["status"] == "not yet measured":
        return record
    if smoke:
        batch_size, rounds, steps = SMOKE["batch_size"], SMOKE["rounds"], SMOKE["steps"]
    config = Config(**(SMOKE_SIZES if smoke else SIZES))
    settings = complete({"batch_size": batch_size})
    device = torch.device("cpu" if smoke else "cuda:0")
    about = throughput.describe(device)
    record |= {
        "device": about,
        "peak_tflops": throughput.peak_of(about["name"]) or "unknown",
        "model": {**vars(config), "parameters": count_parameters(gpt2, config),
                  "flops_per_token": throughput.flops_per_token(config)},
        "batch_size": batch_size, "rounds": rounds, "steps": steps,
    }
    try:
        record["variants"] = throughput.measure(
            config, settings, device, rounds, steps, lambda line: print(line, file=sys.stderr))
    except torch.OutOfMemoryError:
        raise InputError(
            f"the GPU's memory is too small for a batch of {batch_size} windows:"
            " give a smaller --batch-size") from None
    speeds = {name: np.array(variant["tokens_per_second"])
              for name, variant in record["variants"].items()}
    ratios = speeds["compiled bfloat16"] / speeds["eager float32"]
    record["speed_up"] = {"median": round(float(np.median(ratios)), 3),
                          "lowest": round(float(ratios.min()), 3),
                          "highest": round(float(ratios.max()), 3)}
    return record


def report(record: dict[str, Any]) -> Report:
    if record["status"] == "not yet measured":
        return [f"GPU: not yet measured; torch {record['versions']['torch']} finds none here"
                " (npgpt bench gpu --smoke tries the code on the processor)"]
    lines: Report = []
    if record["status"] == "smoke":
        lines.append("smoke: the code runs; these are no measurements")
    model = record["model"]
    lines.append(f"{record['device']['name']}, torch {record['versions']['torch']}:"
                 f" {model['parameters']:,} parameters, context {model['context_length']},"
                 f" batch {record['batch_size']}")
    rows = []
    for name, variant in record["variants"].items():
        speeds = variant["tokens_per_second"]
        mfu, memory = variant["mfu"], variant["peak_memory_gb"]
        rows.append([name, f"{variant['median_tokens_per_second']:,.0f}",
                     f"{min(speeds):,.0f}", f"{max(speeds):,.0f}",
                     "unknown" if mfu is None else f"{mfu:.1%}",
                     "unknown" if memory is None else f"{memory:.2f} GB"])
    lines.append(Table(["", "tokens/s", "lowest", "highest", "MFU", "memory"], rows))
    ratio = record["speed_up"]
    lines.append(f"compiled bfloat16 / eager float32: {ratio['median']:.2f}"
                 f" ({ratio['lowest']:.2f} to {ratio['highest']:.2f})")
    if record["peak_tflops"] != "unknown":
        lines.append(f"peak: {record['peak_tflops']['source']}, dense")
    return lines


def commit() -> str | None:
    """The commit this package lies in, with + where files differ; None
    where it is installed elsewhere."""
    home = Path(__file__).resolve().parents[2]
    if not (home / ".git").exists():
        return None
    try:
        asked = ["git", "-C", str(home), "describe", "--always", "--dirty=+", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
