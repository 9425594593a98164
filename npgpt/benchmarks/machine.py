"""The machine that a figure was measured on."""

import os
import platform
import sys
from datetime import date
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info


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
