"""safetensors files: opened, checked by name and shape, and written whole."""

import json
import math
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.files import written_aside
from npgpt.runs.checkpoint.listed import first_few

# what is read -> what it is read as, each number exactly
DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float32, "BF16": np.float32}
IN_FILES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass
class Stored:
    """A tensor in a file that is mapped into memory, under the name that it has there;
    start: its first byte."""

    file: Path
    mapped: mmap.mmap
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int

    def read(self) -> np.ndarray:
        """The tensor in memory of its own: NumPy asks for large pages, from which a
        product reads a weight faster."""
        found = np.frombuffer(
            self.mapped, IN_FILES[self.dtype], math.prod(self.shape), self.start)
        if self.dtype == "BF16":
            return from_bfloat16(found).reshape(self.shape)
        return found.astype(DTYPES[self.dtype], copy=True).reshape(self.shape)


def from_bfloat16(upper: np.ndarray) -> np.ndarray:
    """bfloat16, which NumPy does not have, as float32, of which it is the upper half."""
    numbers = upper.astype(np.uint32)
    numbers <<= 16
    return numbers.view(np.float32)


def open_tensors(file: Path):
    """A safetensors file; its tensors are read when asked for."""
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        raise InputError(f"{file} is missing")
    if file.is_dir():
        raise InputError(f"{file} is a directory, not a file; restore it from a copy")
    try:
        return safe_open(file, framework="numpy")
    except SafetensorError as error:
        raise InputError(
            f"{file} is cut off, or no safetensors file ({error}); restore it from a copy"
        ) from None


def tensors_in(file: Path) -> list[Stored]:
    with open_tensors(file) as checked, open(file, "rb") as opened:
        names = checked.keys()
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    start = 8 + int.from_bytes(mapped[:8], "little")
    header = json.loads(mapped[8:start])
    return [Stored(file, mapped, name, header[name]["dtype"], tuple(header[name]["shape"]),
                   start + header[name]["data_offsets"][0]) for name in names]


def check_names(file: Path, expected: dict, found: dict[str, Stored]) -> None:
    """Raise InputError unless the names are just those expected; others are told as
    the file has them."""
    missing = [name for name in expected if name not in found]
    foreign = sorted(found[name].name for name in set(found) - set(expected))
    if missing or foreign:
        what = [f"lacks {first_few(missing)}"] * bool(missing)
        what += [f"has the unknown {first_few(foreign)}"] * bool(foreign)
        raise InputError(f"{file} does not fit its config.json: it {' and '.join(what)}")


def check_shapes(expected: dict, found: dict[str, Stored]) -> None:
    """Raise InputError for a tensor of another shape, or of numbers not read here."""
    for name, shape in expected.items():
        stored = found[name]
        if stored.shape != tuple(shape):
            raise InputError(
                f"{stored.file}: {stored.name} is {quote(stored.shape)}, expected {tuple(shape)}")
        if stored.dtype not in DTYPES:
            raise InputError(
                f"{stored.file}: {stored.name} is stored as {stored.dtype};"
                " save the model as float32, float16, bfloat16 or float64"
            )


def write_tensors(file: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write a safetensors file whole, or leave the one that is there. Errors name `file`."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    try:
        with written_aside(file) as aside:
            save_file(arrays, aside, metadata=metadata)
            # safetensors lets only its user read a file
            beside = [file.with_name(name) for name in ("config.json", "adapter_config.json")]
            mode = next(each for each in beside if each.exists()).stat().st_mode
            os.chmod(aside, mode & 0o666)
    except SafetensorError as error:
        raise InputError(f"cannot write {file}: {error}") from None
