"""model.safetensors: a model's weights, under the names and in the shapes that
its family's files have."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import read_json
from npgpt.runs.checkpoint.tensors import (
    check_names,
    check_shapes,
    open_tensors,
    read_tensor,
    write_tensors,
)
from npgpt.tree import tree_leaves, tree_map_with_path


def shapes(config: Any, family: Any) -> dict:
    """The parameters' tree, with a shape where each array goes."""
    return tree_map_with_path(lambda path, weight: weight.shape, family.weights(config))


def within(config: Any, tensors: int) -> Any:
    """The Config, but with no more layers than show that so many tensors are too few."""
    if not hasattr(config, "layers"):
        return config
    return replace(config, layers=min(config.layers, tensors + 1))


def file_name(path: str, family: Any) -> str:
    """ "blocks.0.attention.qkv.weight" -> "transformer.h.0.attn.c_attn.weight"."""
    for ours, theirs in family.FILES.get("names", ()):
        path = re.sub(ours, theirs, path)
    return path


def to_file(params: dict, family: Any) -> dict[str, np.ndarray]:
    """Weights under the file's names, those that it stores so transposed."""
    transposed = family.FILES.get("transposed", ())
    return {file_name(path, family): array.T if path in transposed else array
            for path, array in tree_leaves(params)}


def write_weights(path: Path, params: dict, family: Any) -> None:
    write_tensors(path / "model.safetensors", to_file(params, family), {"format": "pt"})


def weight_files(path: Path) -> list[Path]:
    """model.safetensors, or the shards that its index names."""
    single, index = path / "model.safetensors", path / "model.safetensors.index.json"
    if single.exists():
        return [single]
    if not index.exists():
        raise InputError(f"{path} holds no weights yet: there is no model.safetensors in it")
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError(f"{index} names no files of weights; restore it from a copy")
    return sorted({path / Path(str(shard)).name for shard in shards.values()})


def read_weights(path: Path, config: Any, family: Any) -> dict:
    """The weights in a directory: one file, or shards with an index."""
    files, about = weight_files(path), family.FILES
    ignored, transposed = about.get("ignored"), about.get("transposed", ())
    sources = {}
    for file in files:
        source = open_tensors(file)
        for name in source.keys():  # noqa: SIM118 (it is no dict)
            if not (ignored and re.search(ignored, name)):
                sources[with_prefix(name, about)] = (source, name)
    expected = {
        file_name(name, family): shape[::-1] if name in transposed else shape
        for name, shape in tree_leaves(shapes(within(config, len(sources)), family))
    }
    head = about.get("head")
    tied = sources.pop(head, None) if head not in expected else None
    check_names(files[0], expected, set(sources))
    check_shapes(files[0], sources, expected)
    if tied and not np.array_equal(read_tensor(*tied), read_tensor(*sources[about["embedding"]])):
        raise InputError(
            f"{files[0]}: {head} differs from the token embedding,"
            " but config.json says that they are tied"
        )

    def read(name, _weight):
        array = read_tensor(*sources[file_name(name, family)])
        return np.ascontiguousarray(array.T) if name in transposed else array

    return tree_map_with_path(read, family.weights(config))


def with_prefix(name: str, about: dict) -> str:
    prefix = about.get("prefix", "")
    return name if name == about.get("head") or name.startswith(prefix) else prefix + name
