"""npgpt doctor: what this machine has, what is missing, and how to fix it."""

import os
import platform
import shutil
import sys
import tempfile

from npgpt.cli.options import AsJson
from npgpt.cli.output import print_json
from npgpt.cli.packages import Finding, extras, required_packages


def doctor(as_json: AsJson = False) -> int:
    """Check Python, the packages and this machine; say what to install or change.

    \b
    npgpt doctor
    """
    findings = [*python_and_numpy(), *required_packages(), *machine(), *extras(), *torch_devices()]
    if as_json:
        print_json({
            "findings": [dict(zip(("state", "what", "found", "fix"), line)) for line in findings]
        })
    else:
        for state, what, found, fix in findings:
            print(f"{state:<8}{what:<15}{found}")
            if fix:
                print(f"{'':<8}{'':<15}-> {fix}")
    return 1 if any(state == "missing" for state, *_ in findings) else 0


def python_and_numpy() -> list[Finding]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))  # loads the BLAS
    lines: list[Finding] = [
        ("ok", "Python", f"{platform.python_version()}, {platform.platform()}", ""),
        ("ok", "NumPy", np.__version__, "")]
    for library in threadpool_info():
        if library["user_api"] == "blas":
            kernel = library.get("architecture")
            found = f"{library['internal_api']} {library['version']}"
            found += f", {library['num_threads']} threads" + (f", {kernel} kernels" * bool(kernel))
            chosen = os.environ.get("OPENBLAS_CORETYPE")
            fix = ""
            if chosen:
                fix = (f"OPENBLAS_CORETYPE={chosen} chooses the kernels; "
                       "unset it if this processor has better ones")
            lines.append(("ok", "its BLAS", found, fix))
            break
    else:
        lines.append(("note", "its BLAS",
                      "unknown to threadpoolctl; its number of threads is left as it is",
                      "pip install --force-reinstall numpy, for one with OpenBLAS"))
    return lines


def machine() -> list[Finding]:
    lines: list[Finding] = [("ok", "processors", f"{processors()} for this process", "")]
    total, free = memory()
    if total:
        low = free < 1.5
        lines.append(("note" if low else "ok", "memory", f"{free:.1f} of {total:.1f} GB free",
                      "the duet takes up to 1.5 GB: close something" if low else ""))
    here = os.getcwd()
    disk = shutil.disk_usage(here).free / 1e9
    try:
        with tempfile.TemporaryFile(dir=here):
            writable = True
    except OSError:
        writable = False
    lines.append(("ok" if writable and disk > 1 else "note", "disk",
                  f"{disk:.1f} GB free, this directory can {'' if writable else 'not '}be written",
                  "" if writable else "change to another directory, or give --out"))
    return lines


def torch_devices() -> list[Finding]:
    """What torch computes on; nothing where it is not installed."""
    lines: list[Finding] = []
    torch = sys.modules.get("torch")
    if torch is None:
        return lines
    capability = torch.backends.cpu.get_cpu_capability()
    lines.append(("ok", "torch on CPU", f"{torch.get_num_threads()} threads, {capability}", ""))
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        lines.append(("ok", "CUDA", f"{torch.version.cuda}, {torch.cuda.device_count()} × "
                      f"{card.name}, {card.total_memory / 1e9:.0f} GB", ""))
    elif torch.backends.mps.is_available():
        lines.append(("ok", "MPS", "available; float32 only", ""))
    elif torch.version.cuda is None:
        lines.append(("note", "CUDA", "none; this torch is a CPU build",
                      "with an NVIDIA card: the CUDA build that pytorch.org/get-started names"))
    else:
        lines.append(("note", "CUDA", f"torch is built for {torch.version.cuda}, but finds no"
                      " card", "with an NVIDIA card: install its driver (nvidia-smi must list it)"))
    return lines


def processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> tuple[float, float]:
    """Total and free, in GB; zeros where the system does not say."""
    if sys.platform == "linux":
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":") for line in file)
        total, free = (int(lines[name].split()[0]) / 1e6 for name in ("MemTotal", "MemAvailable"))
        return total, free
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
        return total, total
    return 0.0, 0.0
