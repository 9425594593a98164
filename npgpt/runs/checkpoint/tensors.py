"""safetensors files: opened, checked by name and shape, and written whole."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.files import written_aside
from npgpt.runs.checkpoint.listed import first_few

# what is read -> what it is read as, each number exactly
DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float32, "BF16": np.float32}


@dataclass
class Stored:
    """A tensor in an open file, under the name that it has there."""

    file: Path
    source: Any
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.source.get_slice(self.name).get_shape())

    @property
    def dtype(self) -> str:
        return self.source.get_slice(self.name).get_dtype()

    def read(self) -> np.ndarray:
        if self.dtype == "BF16":
            return read_bfloat16(self.file, self.name).reshape(self.shape)
        # a copy: NumPy asks for large pages, from which a product reads a weight faster
        return self.source.get_tensor(self.name).astype(DTYPES[self.dtype], copy=True)


def read_bfloat16(file: Path, name: str) -> np.ndarray:
    """A tensor's numbers in a row, as float32, of which bfloat16 is the upper half.
    NumPy has no such numbers, so they are read here (safetensors' format)."""
    with open(file, "rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        start, end = json.loads(opened.read(length))[name]["data_offsets"]
        opened.seek(8 + length + start)
        upper = np.fromfile(opened, "<u2", (end - start) // 2).astype(np.uint32)
    upper <<= 16
    return upper.view(np.float32)


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
    source = open_tensors(file)
    return [Stored(file, source, name) for name in source.keys()]  # noqa: SIM118 (no dict)


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
            os.chmod(aside, file.with_name("config.json").stat().st_mode & 0o666)
    except SafetensorError as error:
        raise InputError(f"cannot write {file}: {error}") from None
