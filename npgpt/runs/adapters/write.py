"""Writing an adapter as `peft` reads it, and the state of its training."""

import json
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.finetuning.targets import adaptable
from npgpt.runs.adapters.adapter import (
    CONFIG,
    WEIGHTS,
    Adapter,
    names_in_file,
)
from npgpt.runs.adapters.read import is_adapter, read_adapter_config
from npgpt.runs.checkpoint.tensors import check_names, check_shapes, tensors_in, write_tensors
from npgpt.runs.checkpoint.training_state import read_facts, write_training
from npgpt.runs.checkpoint.weights import file_name, is_transposed
from npgpt.tree import tree_leaves


def save_adapter(
    path: str | Path, adapter: Adapter, config: Any, family: Any, training: dict | None = None
) -> None:
    """Write an adapter to a directory, new or of the same adapter at an earlier step.
    training: as `save_checkpoint` takes it. Raises InputError where the directory holds a
    model or another adapter."""
    path = Path(path)
    if (path / "model.safetensors").exists():
        raise InputError(f"{path} holds a model: choose another directory for the adapter")
    path.mkdir(parents=True, exist_ok=True)
    fields = json.dumps(config_fields(adapter, family.weights(config), family), indent=2) + "\n"
    if not is_adapter(path):
        write_atomically(path / CONFIG, fields)
    elif (path / CONFIG).read_text(encoding="utf-8") != fields:
        raise InputError(f"{path} holds another adapter: choose another directory")
    arrays = {}
    for layer, each in adapter.layers.items():
        arrays |= {name: each[kind].T for kind, name in names_in_file(layer, family).items()}
    base = {"base_rows_sha256": adapter.base_rows} if adapter.base_rows else {}
    write_tensors(path / WEIGHTS, arrays, {"format": "pt", **base})
    if training is not None:
        write_training(path, adapter.layers, training)


def names_of_targets(layers: dict, weights: dict, family: Any) -> list[str]:
    """The shortest names of the layers, their last part or more, that name no others."""
    def in_file(layer: str) -> list[str]:
        return file_name(f"{layer}.weight", family).split(".")[:-1]

    wanted, others = [[in_file(layer) for layer in adaptable(weights) if (layer in layers) == mine]
                      for mine in (True, False)]
    for parts in (1, 2):
        ends = {tuple(name[-parts:]) for name in wanted}
        if not any(tuple(name[-parts:]) in ends for name in others):
            return sorted(".".join(end) for end in ends)
    return [".".join(name) for name in wanted]


def config_fields(adapter: Adapter, weights: dict, family: Any) -> dict[str, Any]:
    """The fields by which `peft` builds the same adapter."""
    first = next(iter(adapter.layers))
    return {
        "peft_type": "LORA", "task_type": "CAUSAL_LM",
        "base_model_name_or_path": adapter.base,
        "r": adapter.rank, "lora_alpha": adapter.lora_alpha, "use_rslora": adapter.rslora,
        "target_modules": names_of_targets(adapter.layers, weights, family),
        "lora_dropout": adapter.dropout, "bias": "none",
        # whether the base model's file has (inputs, outputs), as GPT-2's
        "fan_in_fan_out": not is_transposed(f"{first}.weight", family),
        "inference_mode": True, "init_lora_weights": True,
    }


def load_adapter_training(path: str | Path, layers: dict[str, dict]) -> dict | None:
    """What training.safetensors holds of the adapter of these layers, or None where it has
    none: {"step", "best", "params", "optimizer"}."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    read_adapter_config(Path(path))
    found = {stored.name: stored for stored in tensors_in(file)}
    facts = read_facts(file)
    expected = {f"{tree}.{name}": array.shape for tree in ("params", "optimizer.m", "optimizer.v")
                for name, array in tree_leaves(layers)}
    check_names(file, expected, found)
    check_shapes(expected, found)

    def read(tree: str) -> dict:
        return {layer: {kind: found[f"{tree}.{layer}.{kind}"].read() for kind in "AB"}
                for layer in layers}

    optimizer = {"step": facts.pop("optimizer.step"),
                 "m": read("optimizer.m"), "v": read("optimizer.v")}
    return {**facts, "params": read("params"), "optimizer": optimizer}
