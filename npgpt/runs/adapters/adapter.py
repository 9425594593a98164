"""An adapter: its matrices, and all that is needed to add them to a model."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from npgpt.finetuning.lora import lora_weights
from npgpt.finetuning.rslora import rslora_alpha
from npgpt.runs.checkpoint.weights import file_name
from npgpt.tree import tree_leaves

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@dataclass
class Adapter:
    """layers: {"blocks.0.attention.q": {"A": (I, r), "B": (r, O)}, ...}; lora_alpha: as its
    file has it; base: the name or directory of the model that it was trained on; dropout:
    what its training drew, which is not drawn here; base_rows: `fingerprint_of_rows` of the
    base model, by which it is known again."""

    layers: dict[str, dict]
    rank: int
    lora_alpha: float
    rslora: bool = False
    base: str | None = None
    dropout: float = 0.0
    base_rows: str | None = None

    @property
    def alpha(self) -> float:
        """As `lora` takes it."""
        return rslora_alpha(self.lora_alpha, self.rank) if self.rslora else self.lora_alpha

    @property
    def names(self) -> list[str]:
        """The last part of its layers' paths, each once."""
        return list(dict.fromkeys(path.rpartition(".")[2] for path in self.layers))

    @property
    def parameters(self) -> int:
        return sum(array.size for _, array in tree_leaves(self.layers))


def merged(params: dict, *adapters: Adapter) -> dict:
    """-> params with all of the adapters added, one after the other."""
    for adapter in adapters:
        params, _ = lora_weights(params, adapter.layers, adapter.alpha)
    return params


def dropout_note(adapter: Adapter) -> str | None:
    """What training on an adapter says, where another library's training drew dropout."""
    if not adapter.dropout:
        return None
    return (f"the adapter was trained with lora_dropout {adapter.dropout:g}; here it is trained"
            " without, as with 0")


def fingerprint_of_rows(params: dict) -> str:
    """SHA-256 of the first row of each weight: enough to tell a model from another, and
    as quick for a large one."""
    digest = hashlib.sha256()
    for name, array in sorted(tree_leaves(params)):
        if hasattr(array, "dtype"):
            row = array[(0,) * (array.ndim - 1)]
            digest.update(name.encode() + np.ascontiguousarray(row, np.float32).tobytes())
    return digest.hexdigest()


def names_in_file(layer: str, family: Any) -> dict[str, str]:
    """{"A": its name in adapter_model.safetensors, "B": ...} of a layer of ours."""
    name = file_name(f"{layer}.weight", family).removesuffix(".weight")
    return {each: f"base_model.model.{name}.lora_{each}.weight" for each in "AB"}
