"""npgpt doctor: what this machine has, what is missing, and what mends it."""

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile

from npgpt.cli import options
from npgpt.cli.output import print_json

OPTIONAL = {
    "torch": ("duet, torchgpt, the whole gradcheck", "pip install 'npgpt[torch]'"),
    "datasketch": ("prepare: near duplicates", "pip install 'npgpt[data]'"),
    "numba": ("npgpt train --compile", "pip install 'npgpt[compile]'"),
    "pytest": ("the parity tests", "pip install 'npgpt[test]'"),
}


def doctor(as_json: options.AsJson = False) -> int:
    """Say what was found here, and what to install or change.

    \b
    npgpt doctor
    """
    findings = [*python_and_numpy(), *machine(), *optional_packages()]
    if as_json:
        print_json({
            "findings": [dict(zip(("state", "what", "found", "mend"), line)) for line in findings]
        })
    else:
        for state, what, found, mend in findings:
            print(f"{state:<8}{what:<13}{found}")
            if mend:
                print(f"{'':<8}{'':<13}-> {mend}")
    return 1 if any(state == "missing" for state, *_ in findings) else 0


def python_and_numpy() -> list[tuple[str, str, str, str]]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))  # loads the BLAS
    lines = [("ok", "Python", f"{platform.python_version()}, {platform.platform()}", "")]
    lines.append(("ok", "NumPy", np.__version__, ""))
    for library in threadpool_info():
        if library["user_api"] == "blas":
            kernel = library.get("architecture")
            found = f"{library['internal_api']} {library['version']}"
            found += f", {library['num_threads']} threads" + (f", {kernel} kernels" * bool(kernel))
            chosen = os.environ.get("OPENBLAS_CORETYPE")
            mend = ""
            if chosen:
                mend = (f"OPENBLAS_CORETYPE={chosen} chooses the kernels; "
                        "unset it if this processor has better ones")
            lines.append(("ok", "its BLAS", found, mend))
            break
    else:
        lines.append(("note", "its BLAS", "unknown to threadpoolctl; its threads stay as they are",
                      "pip install --force-reinstall numpy, for one with OpenBLAS"))
    for name in ("matplotlib", "safetensors", "typer", "regex"):
        try:
            lines.append(("ok", name, importlib.metadata.version(name), ""))
        except importlib.metadata.PackageNotFoundError:
            lines.append(("missing", name, "not installed", f"pip install {name}"))
    return lines


def machine() -> list[tuple[str, str, str, str]]:
    lines = [("ok", "processors", f"{processors()} for this process", "")]
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


def optional_packages() -> list[tuple[str, str, str, str]]:
    lines = []
    for name, (use, command) in OPTIONAL.items():
        try:
            importlib.import_module(name)
            lines.append(("ok", name, importlib.metadata.version(name), ""))
        except ImportError as error:
            found = "not installed" if error.name == name else f"does not load ({error})"
            lines.append(("note", name, f"{found}; needed for: {use}", command))
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
        lines.append(("ok", "MPS", "there; float32 only", ""))
    elif torch.version.cuda is None:
        lines.append(("note", "CUDA", "none; this torch is a CPU build",
                      "with an NVIDIA card: the CUDA build that pytorch.org/get-started names"))
    else:
        lines.append(("note", "CUDA", f"torch is built for {torch.version.cuda}, but no card is"
                      " seen", "with an NVIDIA card: install its driver (nvidia-smi must list it)"))
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
