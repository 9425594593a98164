"""safetensors files: opened, checked by name and shape, and written whole."""

import os
from pathlib import Path

import numpy as np

from npgpt.errors import InputError
from npgpt.files import written_aside
from npgpt.runs.checkpoint.listed import first_few

# what is read -> what it is read as
DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float32}


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


def read_tensor(source, name: str) -> np.ndarray:
    dtype = DTYPES[source.get_slice(name).get_dtype()]
    # a copy: NumPy asks for large pages, from which a product reads a weight faster
    return source.get_tensor(name).astype(dtype, copy=True)


def check_names(file: Path, expected: dict, found: set[str]) -> None:
    """Raise InputError unless the names are just those expected."""
    missing = [name for name in expected if name not in found]
    foreign = sorted(found - set(expected))
    if missing or foreign:
        what = [f"lacks {first_few(missing)}"] * bool(missing)
        what += [f"has the unknown {first_few(foreign)}"] * bool(foreign)
        raise InputError(f"{file} does not fit its config.json: it {' and '.join(what)}")


def check_shapes(file: Path, sources: dict, expected: dict) -> None:
    """sources: name -> (an open file, the name there). Raise InputError for a tensor
    of another shape, or of numbers that are not read here."""
    for name, shape in expected.items():
        source, stored_name = sources[name]
        stored = source.get_slice(stored_name)
        if tuple(stored.get_shape()) != tuple(shape):
            raise InputError(
                f"{file}: {name} is {tuple(stored.get_shape())}, expected {tuple(shape)}"
            )
        if stored.get_dtype() not in DTYPES:
            raise InputError(
                f"{file}: {name} is stored as {stored.get_dtype()};"
                " save the model as float32, float16 or float64"
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
