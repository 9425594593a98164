"""model.safetensors: a model's weights, under the names and in the shapes that
its family's files have."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.files import read_json
from npgpt.runs.checkpoint.hub import adapter_alone
from npgpt.runs.checkpoint.listed import first_few
from npgpt.runs.checkpoint.tensors import (
    Stored,
    check_names,
    check_shapes,
    tensors_in,
    write_tensors,
)
from npgpt.tree import tree_leaves, tree_map_with_path

# what torch.compile and DistributedDataParallel put into names
WRAPPERS = re.compile(r"^((module|_orig_mod)\.)+|(?<=\.)_orig_mod\.")
LORA = re.compile(r"(^|\.)lora_")
# files of weights that are not read: pickle, which may run any code, and other formats
UNREAD = {".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".npz"}


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


def is_transposed(path: str, family: Any) -> bool:
    """Whether the file has the array of this path transposed."""
    return bool(re.fullmatch(family.FILES.get("transposed", ""), path))


def to_file(params: dict, family: Any) -> dict[str, np.ndarray]:
    """Weights under the file's names, those that it stores so transposed."""
    return {file_name(path, family): array.T if is_transposed(path, family) else array
            for path, array in tree_leaves(params)}


def write_weights(path: Path, params: dict, family: Any) -> None:
    write_tensors(path / "model.safetensors", to_file(params, family), {"format": "pt"})


def read_weights(path: Path, config: Any, family: Any, as_stored: bool = False) -> dict:
    """The weights in a directory, by whichever of their names it has them. as_stored: what
    the file has transposed stays in its memory order, column after column; that saves a
    copy, and one token's products read it so as quickly as row after row."""
    files, about = weight_files(path), family.FILES
    found = stored_weights(files, about)
    expected = {
        file_name(name, family): shape[::-1] if is_transposed(name, family) else shape
        for name, shape in tree_leaves(shapes(within(config, len(found)), family))
    }
    head = about.get("head")
    tied = found.pop(head, None) if head not in expected else None
    if tied:
        embedding = found.setdefault(about["embedding"], tied)
    check_names(files[0], expected, found)
    check_shapes(expected, found)
    if tied and not (tied is embedding or np.array_equal(tied.read(), embedding.read())):
        raise InputError(
            f"{tied.file}: {tied.name} differs from the token embedding,"
            " but config.json says that they are tied"
        )

    def read(name, _weight):
        array = found[file_name(name, family)].read()
        if not is_transposed(name, family):
            return array
        return array.T if as_stored else np.ascontiguousarray(array.T)

    return tree_map_with_path(read, family.weights(config))


def weight_files(path: Path) -> list[Path]:
    """model.safetensors, or the shards that its index names."""
    single, index = path / "model.safetensors", path / "model.safetensors.index.json"
    if single.exists():
        return [single]
    if not index.exists():
        if (path / "adapter_config.json").is_file():
            raise adapter_alone(path)
        others = sorted(file.name for file in path.iterdir() if file.suffix in UNREAD)
        also = f"; {first_few(others)}: not read here, save it as safetensors" if others else ""
        raise InputError(
            f"{path} holds no weights yet: there is no model.safetensors in it{also}")
    shards = read_json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError(f"{index} names no files of weights; restore it from a copy")
    return sorted({path / Path(str(shard)).name for shard in shards.values()})


def stored_weights(files: list[Path], about: dict) -> dict[str, Stored]:
    """The family's name -> the tensor of that name, in any of the spellings in which
    programs store it; without those that are no weights."""
    found: dict[str, Stored] = {}
    for stored in (stored for file in files for stored in tensors_in(file)):
        if LORA.search(stored.name):
            raise InputError(f"{stored.file} holds a LoRA adapter ({stored.name}), which is read"
                             " beside its model: npgpt chat MODEL --adapter DIR, or added to it:"
                             " npgpt adapter merge MODEL DIR --out MERGED")
        name = plain_name(stored.name, about)
        if name is None:
            continue
        if name in found:
            raise InputError(f"{stored.file} holds {name} twice, as {found[name].name} and as"
                             f" {stored.name}")
        found[name] = stored
    return found


def plain_name(stored: str, about: dict) -> str | None:
    """A tensor's name as the family has it; None for one that is no weight."""
    name = WRAPPERS.sub("", stored)
    if about.get("ignored") and re.search(about["ignored"], name):
        return None
    prefix = about.get("prefix", "")
    return name if name == about.get("head") or name.startswith(prefix) else prefix + name
