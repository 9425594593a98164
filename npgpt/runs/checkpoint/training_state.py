"""training.safetensors: weights, AdamW's running means, and how far the run was."""

import json
import math
from pathlib import Path
from typing import Any

from npgpt.errors import InputError
from npgpt.runs.checkpoint.by_type import family_of
from npgpt.runs.checkpoint.tensors import check_names, check_shapes, open_tensors, write_tensors
from npgpt.runs.checkpoint.weights import shapes, within
from npgpt.tree import nest, tree_leaves


def write_training(path: Path, params: dict, training: dict) -> None:
    """training: {"step", "best", "optimizer"}, as `save_checkpoint` takes it."""
    state = training["optimizer"]
    moments = {"m": state["m"], "v": state["v"]}
    arrays = dict(tree_leaves({"params": params, "optimizer": moments}))
    facts = {"step": training["step"], "best": training["best"], "optimizer.step": state["step"]}
    write_tensors(path / "training.safetensors", arrays, {"facts": json.dumps(facts)})


def saved_step(path: str | Path) -> int | None:
    """The step of the last save, or None before the first."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    with open_tensors(file) as source:
        return read_facts(file, source)["step"]


def load_training(path: str | Path, config: Any, family: Any = None) -> dict | None:
    """What `training.safetensors` holds, or None before the first save."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    with open_tensors(file) as source:
        names = set(source.keys())
        facts = read_facts(file, source)
        family = family or family_of(config)
        wanted = dict(tree_leaves(shapes(within(config, len(names)), family)))
        expected = {f"{tree}.{name}": shape
                    for tree in ("params", "optimizer.m", "optimizer.v")
                    for name, shape in wanted.items()}
        check_names(file, expected, names)
        check_shapes(file, {name: (source, name) for name in expected}, expected)
        parts = [(name, source.get_tensor(name)) for name in expected]
    parts.append(("optimizer.step", facts.pop("optimizer.step")))
    return {**facts, **nest(parts)}


def read_facts(file: Path, source) -> dict:
    """What a training state says besides its arrays: both steps, the best loss."""
    try:
        facts = json.loads((source.metadata() or {}).get("facts", "null"))
        whole = [type(facts[name]) is int and facts[name] >= 0
                 for name in ("step", "optimizer.step")]
        best = facts["best"] is None or math.isfinite(facts["best"])
    except (ValueError, KeyError, TypeError):
        whole, best = [False], False
    if not (all(whole) and best):
        raise InputError(f"{file} is not a training state of npgpt; restore it from a copy")
    return facts
