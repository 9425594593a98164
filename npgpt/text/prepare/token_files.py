"""Token ids in a file, written as a stream and read as a memory map.

The file is a plain .npy: two bytes an id where the vocabulary fits, else four.
A corpus larger than memory is written piece by piece, and only the parts that
a batch asks for are read.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from npgpt.errors import InputError
from npgpt.files import written_aside

JOINT = "\n\n"  # between documents


def token_dtype(vocab_size: int) -> np.dtype:
    """The smallest unsigned type that holds every id, little-endian on every machine."""
    return np.dtype("<u2" if vocab_size <= 2**16 else "<u4")


def write_tokens(path: str | Path, pieces: Iterable[Iterable[int]], vocab_size: int) -> int:
    """Write pieces of ids (a document each, say) one after another; returns how many ids.

    The file appears whole or not at all. InputError where an id is outside the
    vocabulary or the disk is full.
    """
    path, dtype, count = Path(path), token_dtype(vocab_size), 0
    try:
        with written_aside(path) as aside, open(aside, "xb") as file:
            _write_header(file, dtype, 0)
            for piece in pieces:
                ids = np.asarray(piece, dtype=np.int64)
                if ids.size and not 0 <= ids.min() <= ids.max() < vocab_size:
                    raise InputError(
                        f"an id from {ids.min()} to {ids.max()} is outside the vocabulary "
                        f"of {vocab_size}: were these ids made by another tokenizer?"
                    )
                file.write(ids.astype(dtype).tobytes())
                count += ids.size
            # the header leaves room for a longer count, so its size stays the same
            file.seek(0)
            _write_header(file, dtype, count)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    return count


def open_tokens(path: str | Path) -> np.memmap:
    """The ids (N,) as a read-only memory map; InputError where the file is cut off."""
    path = Path(path)
    try:
        ids = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is cut off or not a token file: {error}") from None
    whole = ids.offset + ids.size * ids.itemsize
    if ids.ndim != 1 or ids.dtype.kind != "u" or path.stat().st_size != whole:
        raise InputError(
            f"{path} is not a token file: {whole} bytes of unsigned ids were expected, "
            f"and it has {path.stat().st_size} ({ids.dtype}, {ids.ndim} dimensions)"
        )
    return ids


def _write_header(file: BinaryIO, dtype: np.dtype, count: int) -> None:
    header = {"descr": dtype.str, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)
