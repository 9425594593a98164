"""How many tokens a second a device trains on, and what share of its peak
that is (MFU: model FLOPs utilisation, Chowdhery et al., 2022, appendix B)."""

import gc
import platform
import re
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.runs.settings import Settings
from npgpt.training.init import init
from torchgpt.modules import GPT
from torchgpt.training.module_trainer import ModuleTrainer

# the makers' figures in TFLOP/s, products of dense matrices (data sheets
# double them "with sparsity"): part of the device's name, bfloat16 with
# float32 sums, float32 without TF32, the source
PEAKS = (
    ("H100 PCIe", 756, 51, "NVIDIA H100 data sheet"),
    ("H100 NVL", 835, 60, "NVIDIA H100 data sheet"),
    ("H100", 989, 67, "NVIDIA H100 data sheet, SXM"),
    ("H200 NVL", 835, 60, "NVIDIA H200 data sheet"),
    ("H200", 989, 67, "NVIDIA H200 data sheet, SXM"),
    ("A100", 312, 19.5, "NVIDIA A100 data sheet"),
    ("A10", 125, 31.2, "NVIDIA A10 data sheet"),
    ("L40S", 362, 91.6, "NVIDIA L40S data sheet"),
    ("L4", 121, 30.3, "NVIDIA L4 data sheet"),
    ("RTX 4090", 165.2, 82.6, "NVIDIA Ada whitepaper, appendix A"),
    ("RTX 3090", 71, 35.6, "NVIDIA Ampere GA102 whitepaper, appendix A"),
)
UNLIKE = {"Ti", "D", "Laptop", "MIG"}  # names that only look like one in the table
VARIANTS = ("eager float32", "eager bfloat16", "compiled bfloat16")


def flops_per_token(config: Config) -> int:
    """Forward and backward: 6 for each weight in a product, and 12 · T · C a
    block for the scores and their sums, counted as if nothing were masked."""
    C, T = config.channels, config.context_length
    weights = config.layers * 12 * C * C + config.vocab_size * C
    return 6 * weights + 12 * config.layers * T * C


def peak_of(name: str) -> dict | None:
    """{"bfloat16", "float32" in TFLOP/s, "source"} of a device by its name;
    None for one that is not in the table."""
    words = re.split("[ -]", name)
    if UNLIKE & set(words):
        return None
    for part, bfloat16, float32, source in PEAKS:
        wanted = part.split()
        if any(words[i:i + len(wanted)] == wanted for i in range(len(words))):
            return {"bfloat16": bfloat16, "float32": float32, "source": source}
    return None


def measure(
    config: Config, settings: Settings, device: torch.device, rounds: int, steps: int,
    report: Callable[[str], None] = lambda line: None,
) -> dict:
    """Each variant of `torchgpt train` in turn, `rounds` times `steps` steps.

    -> {variant: {"tokens_per_second" a round, "median_tokens_per_second",
    "first_step_seconds", "peak_memory_gb", "loss", "mfu"}}. Memory is what
    the variant takes beside the others, None but on a GPU; mfu is None
    where the device's peak is unknown.
    """
    params = init(gpt2, config, settings.seed)
    shape = (settings.batch_size, config.context_length + 1)
    rows = np.random.default_rng(settings.seed).integers(0, config.vocab_size, shape)
    take_step, found = {}, {}
    for name in VARIANTS:
        report(f"{name}: first steps")
        gc.collect()
        others = memory_now(device)
        take_step[name] = prepare(params, config, settings, device, name, rows)
        first = timed(take_step[name], device, 1)
        memory_now(device)
        timed(take_step[name], device, 3)
        found[name] = {
            "tokens_per_second": [], "first_step_seconds": round(first, 3),
            "peak_memory_gb": None if others is None else round(
                (torch.cuda.max_memory_allocated(device) - others) / 1e9, 3)}
    for turn in range(rounds):
        first = turn % len(VARIANTS)
        for name in (*VARIANTS[first:], *VARIANTS[:first]):
            seconds = timed(take_step[name], device, steps)
            speed = steps * settings.batch_size * config.context_length / seconds
            found[name]["tokens_per_second"].append(round(speed, 1))
            report(f"round {turn + 1} of {rounds}: {name}, {speed:,.0f} tokens/s")
    peak = peak_of(describe(device)["name"])
    for name, result in found.items():
        median = statistics.median(result["tokens_per_second"])
        done = median * flops_per_token(config) / 1e12
        result["median_tokens_per_second"] = round(median, 1)
        result["mfu"] = peak and round(done / peak[name.split()[1]], 4)
        result["loss"] = take_step[name]()
    return found


def prepare(params, config, settings, device, name, rows):
    """-> take_step() -> loss: a step of `torchgpt train`, always on `rows`."""
    kind, dtype = name.split()
    trainer = ModuleTrainer(
        GPT, config, params, settings, device=str(device), dtype=dtype,
        compiled=kind == "compiled")
    batch = {"inputs": rows[:, :-1], "targets": rows[:, 1:]}
    return lambda: trainer.step(batch, settings.learning_rate)[0]


def timed(take_step, device, count: int) -> float:
    """Seconds for `count` steps, with the device's queue empty at both ends."""
    finish(device)
    began = time.perf_counter()
    for _ in range(count):
        take_step()
    finish(device)
    return time.perf_counter() - began


def finish(device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_now(device) -> int | None:
    """Bytes that tensors hold; the peak is counted anew from here."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def describe(device) -> dict:
    """What computes: its name, and what a record needs to be read later."""
    if device.type != "cuda":
        return {"type": device.type, "name": platform.processor() or platform.machine(),
                "threads": torch.get_num_threads()}
    about = torch.cuda.get_device_properties(device)
    return {"type": "cuda", "name": about.name, "memory_gb": round(about.total_memory / 1e9, 1),
            "capability": f"{about.major}.{about.minor}", "cuda": torch.version.cuda}
