"""training.safetensors: weights, AdamW's running means, and how far the run was."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.families.setting import LARGEST
from npgpt.files import parse_json
from npgpt.runs.checkpoint.by_type import family_of
from npgpt.runs.checkpoint.tensors import (
    check_names,
    check_shapes,
    open_tensors,
    tensors_in,
    write_tensors,
)
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
    return read_facts(file)["step"]


def load_training(path: str | Path, config: Any, family: Any = None) -> dict | None:
    """What `training.safetensors` holds, or None before the first save."""
    file = Path(path) / "training.safetensors"
    if not file.exists():
        return None
    found = {stored.name: stored for stored in tensors_in(file)}
    facts = read_facts(file)
    family = family or family_of(config)
    wanted = dict(tree_leaves(shapes(within(config, len(found)), family)))
    expected = {f"{tree}.{name}": shape
                for tree in ("params", "optimizer.m", "optimizer.v")
                for name, shape in wanted.items()}
    check_names(file, expected, found)
    check_shapes(expected, found)
    parts = [(name, found[name].read()) for name in expected]
    parts.append(("optimizer.step", facts.pop("optimizer.step")))
    return {**facts, **nest(parts)}


def check_state(path: Path, training: dict) -> None:
    """Raise InputError unless the run can go on from here: it and its optimiser have
    taken as many steps, every number is finite, and no mean of squares is negative."""
    file = path / "training.safetensors"
    step, other = training["step"], training["optimizer"]["step"]
    if step != other:
        raise InputError(f"{file} contradicts itself: the run has taken {quote(step)} steps,"
                         f" AdamW {quote(other)}; restore it from a copy")
    moments = {name: training["optimizer"][name] for name in ("m", "v")}
    for name, array in tree_leaves({"params": training["params"], "optimizer": moments}):
        if not np.isfinite(array).all():
            raise InputError(f"{file}: {name} is not finite; restore it from a copy")
        if name.startswith("optimizer.v.") and (array < 0).any():
            raise InputError(f"{file}: {name}, a mean of squares, is negative;"
                             " restore it from a copy")


def read_facts(file: Path) -> dict:
    """What a training state says besides its arrays: both steps, the best loss."""
    with open_tensors(file) as source:
        metadata = source.metadata() or {}
    try:
        facts = parse_json(metadata.get("facts", "null"))
        whole = [type(facts[name]) is int and 0 <= facts[name] <= LARGEST
                 for name in ("step", "optimizer.step")]
        best = facts["best"] is None or (type(facts["best"]) in (int, float) and (
            0 <= facts["best"] < math.inf))  # a loss
    except (ValueError, KeyError, TypeError, RecursionError):
        whole, best = [False], False
    if not (all(whole) and best):
        raise InputError(f"{file} is not a training state of npgpt; restore it from a copy")
    return facts
