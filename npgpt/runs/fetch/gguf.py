"""GGUF, llama.cpp's file format: metadata and tensors in one file, the tensors often in
blocks of 4 or 8 bits a number.

A header says how many of each there are; then come the metadata, one key and
value after another, where each tensor lies, and from the next multiple of 32
bytes on the tensors themselves.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote

ALIGNMENT = 32
MOST = 2**31  # items in a list, or characters in a text: more is damage
STRING, ARRAY = 8, 9
# the number of a value's type -> how struct spells it
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
           12: "d"}
BLOCK = 32  # numbers that share a scale
# the number of a tensor's type -> its name, numbers a block, bytes a block
TYPES = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 30: ("BF16", 1, 2), 3: ("Q4_1", BLOCK, 20),
         8: ("Q8_0", BLOCK, 34)}
OTHERS = {2: "Q4_0", 6: "Q5_0", 7: "Q5_1", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K",
          13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
          19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16",
          26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M"}


@dataclass
class Gguf:
    """What a file holds. `tensors`: name -> shape, the outermost axis first, the number
    of its type, and where it begins, in bytes."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, tuple[tuple[int, ...], int, int]]
    data: Any

    def tensor(self, name: str) -> np.ndarray:
        """A tensor in float32: exact for each of the types read here but the scales'
        products, which round as float32 does."""
        shape, kind, start = self.tensors[name]
        _, numbers, size = TYPES[kind]
        count = int(np.prod(shape, dtype=np.int64))
        raw = np.frombuffer(self.data, np.uint8, count // numbers * size, start)
        return unpacked(raw, kind).reshape(shape)


def read_gguf(path: str | Path) -> Gguf:
    """Read a file's metadata and where its tensors lie; they are read when asked for.
    InputError for a file that is cut off, damaged, or has tensors of another type."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if data[:4] != b"GGUF":
        raise InputError(f"{path} is not a GGUF file: it does not begin with GGUF")
    try:
        reader = Reader(data, 4)
        version = reader.number("I")
        if version not in (2, 3):
            raise InputError(f"{path} is GGUF of version {version}: 2 and 3 are read here")
        tensors, keys = reader.number("Q"), reader.number("Q")
        metadata = {reader.text(): reader.value(reader.number("I")) for _ in range(keys)}
        found = [reader.place() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", ALIGNMENT)
        begin = -(-reader.at // alignment) * alignment
    except (struct.error, UnicodeDecodeError, MemoryError, TypeError, KeyError,
            ZeroDivisionError) as error:
        raise InputError(f"{path} is cut off or damaged: {quote(error)}") from None
    tensors = {name: (shape, kind, begin + offset) for name, shape, kind, offset in found}
    check_tensors(path, tensors, len(data))
    return Gguf(path, metadata, tensors, data)


class Reader:
    """Reads one thing after another."""

    def __init__(self, data: Any, at: int) -> None:
        self.data, self.at = data, at

    def number(self, spelling: str) -> Any:
        spelling = f"<{spelling}"
        (value,) = struct.unpack_from(spelling, self.data, self.at)
        self.at += struct.calcsize(spelling)
        return value

    def text(self) -> str:
        length = self.length()
        value = self.data[self.at : self.at + length].decode("utf-8")
        self.at += length
        return value

    def length(self) -> int:
        length = self.number("Q")
        if length > min(MOST, len(self.data) - self.at):
            raise struct.error(f"a length of {length}")
        return length

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            kind, length = self.number("I"), self.length()
            return [self.value(kind) for _ in range(length)]
        return self.number(NUMBERS[kind])

    def place(self) -> tuple[str, tuple[int, ...], int, int]:
        """A tensor's name, shape, type and offset. The file has the innermost axis first."""
        name, axes = self.text(), self.number("I")
        if axes > 8:
            raise struct.error(f"{axes} axes")
        shape = tuple(self.number("Q") for _ in range(axes))[::-1]
        return name, shape, self.number("I"), self.number("Q")


def check_tensors(
    path: Path, tensors: dict[str, tuple[tuple[int, ...], int, int]], end: int
) -> None:
    """Raise InputError for a type that is not read here, and for what the file is too
    short for."""
    for name, (shape, kind, start) in tensors.items():
        if kind not in TYPES:
            known = ", ".join(known for known, *_ in TYPES.values())
            raise InputError(f"{path}: {quote(name)} is stored as {OTHERS.get(kind, kind)}; read"
                             f" here are {known}: take a file of one of these")
        _, numbers, size = TYPES[kind]
        count = 1
        for axis in shape:
            count *= axis
        if not shape or shape[-1] % numbers or start + count // numbers * size > end:
            raise InputError(f"{path} is cut off or damaged: {quote(name)} of shape {shape} does"
                             " not fit in it")


def unpacked(raw: np.ndarray, kind: int) -> np.ndarray:
    """The numbers in some bytes, in float32."""
    if kind == 0:
        return raw.view(np.float32)
    if kind == 1:
        return raw.view(np.float16).astype(np.float32)
    if kind == 30:  # bfloat16: the upper two bytes of a float32
        return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    blocks = raw.reshape(-1, TYPES[kind][2])
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    if kind == 8:  # Q8_0: a scale, then 32 whole numbers
        return (scale * blocks[:, 2:].view(np.int8)).ravel()
    # Q4_1: a scale, a least value, then 32 numbers of 4 bits, the first 16 in the lower ones
    least = blocks[:, 2:4].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 4:]
    numbers = np.concatenate([packed & 15, packed >> 4], axis=1)
    return (scale * numbers + least).ravel()
