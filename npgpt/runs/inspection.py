"""What a checkpoint's weights are like, and which tokens its embedding puts close together."""

import math
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.tree import tree_leaves

BINS = 17  # of the histogram, from -4 to 4 standard deviations and beyond


def weights(params: dict, tensors: bool = False) -> dict[str, Any]:
    """Count, norm, root mean square and largest weight of each part (a block, or with
    `tensors` a tensor), and a histogram of the matrices' weights."""
    parts: dict[str, list] = {}
    for name, weight in tree_leaves(params):
        part = name if tensors else name.removesuffix(".weight").removesuffix(".bias")
        if part.startswith("blocks.") and not tensors:
            part = ".".join(part.split(".")[:2])
        parts.setdefault(part, []).append(weight)
    rows = []
    for part, arrays in parts.items():
        count = sum(array.size for array in arrays)
        square = sum(float(np.vdot(array, array)) for array in arrays)
        rows.append({
            "name": part, "parameters": count, "norm": math.sqrt(square),
            "rms": math.sqrt(square / count),
            "largest": max(float(np.abs(array).max()) for array in arrays),
            "not_finite": sum(int((~np.isfinite(array)).sum()) for array in arrays),
        })
    total = sum(row["parameters"] for row in rows)
    matrices = [array for arrays in parts.values() for array in arrays if array.ndim == 2]
    return {"parameters": total, "parts": rows, "histogram": histogram(matrices)}


def histogram(arrays: list) -> dict[str, list]:
    """The edges of the bins, and how many weights lie in each; the first and last bin
    include everything beyond them."""
    count = sum(array.size for array in arrays)
    mean = sum(float(array.sum(dtype=np.float64)) for array in arrays) / count
    square = sum(float(np.vdot(array, array)) for array in arrays) / count
    reach = 4 * math.sqrt(max(square - mean * mean, 0)) or 1.0
    if not math.isfinite(reach):
        return {"edges": [], "counts": []}
    edges = np.linspace(mean - reach, mean + reach, BINS + 1)
    counts = np.zeros(BINS, np.int64)
    for array in arrays:
        counts += np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0]
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def nearest(weight, id: int, count: int) -> list[tuple[int, float]]:
    """The `count` other rows whose direction is closest to that of row `id`, and their
    cosines."""
    lengths = np.linalg.norm(weight, axis=1)
    lengths[lengths == 0] = 1
    cosines = (weight @ weight[id]) / (lengths * lengths[id])
    order = [int(other) for other in np.argsort(-cosines, kind="stable") if other != id]
    return [(other, float(cosines[other])) for other in order[:count]]


def wanted_token(checkpoint: Any, token: str | None, id: int | None) -> int | None:
    """The id that --token or --id names, None without either. InputError for a text of
    several tokens and for an id outside the vocabulary."""
    if token is not None and id is not None:
        raise InputError("give --token or --id, not both")
    if token is not None:
        ids = text_ids(checkpoint, token)
        if len(ids) > 1:
            pieces = " ".join(f"{printable(checkpoint, each)} ({each})" for each in ids[:8])
            raise InputError(f"{token!r} is several tokens: {pieces}; give one of them with --id")
        return ids[0]
    if id is not None and not 0 <= id < checkpoint.config.vocab_size:
        raise InputError(
            f"id {id} is out of range: this model's ids are 0 to"
            f" {checkpoint.config.vocab_size - 1}")
    return id


def with_space(checkpoint: Any, token: str | None) -> int | None:
    """The id of the token with a space before it, where that is one token: byte-pair
    vocabularies have most words twice, and within a text it is this one."""
    if token is None or token.startswith(" "):
        return None
    ids = checkpoint.tokenizer.encode(f" {token}")
    return ids[0] if len(ids) == 1 else None


def text_ids(checkpoint: Any, text: str) -> list[int]:
    """InputError for a text that is empty or longer than the context."""
    if checkpoint.tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer: its texts cannot be read")
    ids = checkpoint.tokenizer.encode(text)
    N = checkpoint.config.context_length
    if not ids:
        raise InputError("the text is empty: give at least one character")
    if N is not None and len(ids) > N:
        raise InputError(
            f"the text has {len(ids)} tokens, but the model's context is {N}: give a shorter one")
    return ids


def printable(checkpoint: Any, id: int) -> str:
    """A token's text with its spaces marked: space as ␣, newline as ↵, tab as ⇥. The id
    itself where no token has it: a row that pads the table."""
    if checkpoint.tokenizer is None or id >= checkpoint.tokenizer.vocab_size:
        return str(id)
    text = checkpoint.tokenizer.decode([id])
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") or "∅"
