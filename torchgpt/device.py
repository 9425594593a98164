"""Where tensors live and how exactly they are computed."""

import contextlib

import torch

from npgpt.errors import InputError

DTYPES = {"float32": torch.float32, "float64": torch.float64,
          "bfloat16": torch.bfloat16}


def pick_device(name: str = "auto") -> torch.device:
    """auto | cpu | cuda | mps -> a device that is there; auto takes the
    first of cuda, mps and cpu. Raises InputError for one that is not."""
    there = {"cuda": torch.cuda.is_available(),
             "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = name.split(":")[0]
    if name == "auto":
        kind = name = next(known for known, found in there.items() if found)
    if kind not in there:
        raise InputError(f"unknown device {name!r}: give auto, cpu, cuda or mps")
    if not there[kind]:
        raise InputError(f"no {kind} device on this machine: use --device cpu, or auto")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"unknown device {name!r}: a number may follow, as in cuda:0") from None
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"no {name} on this machine: it has {torch.cuda.device_count()} GPUs")
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """float32 | float64 | bfloat16 -> the torch dtype. Raises InputError
    for one unknown, or float64 on mps, which has none."""
    if name not in DTYPES:
        raise InputError(f"unknown dtype {name!r}: give {', '.join(DTYPES)}")
    if device.type == "mps" and name == "float64":
        raise InputError("mps has no float64: use --dtype float32, or --device cpu")
    return DTYPES[name]


def use_exact_arithmetic() -> None:
    """Ask for the same bits every time, and for full float32 products
    (no TF32) on a GPU."""
    torch.set_float32_matmul_precision("highest")
    torch.use_deterministic_algorithms(True, warn_only=True)


@contextlib.contextmanager
def compiler_errors():
    """An InputError that says what torch.compile lacks on this machine."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        cause = getattr(error, "inner_exception", error)
        said = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        raise InputError(
            f"--compile fails on this machine ({said}): it needs a C++ compiler, and Triton"
            " on a GPU; install them, or train without --compile") from error
