"""A run that trains an adapter, or some layers alone: what it begins with, what it leaves
behind, how it goes on.

The directory of an adapter's run is that of any run, with an adapter in the place of the
model's weights, which stay where the run started from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError
from npgpt.finetuning.adapters import init_adapters, lora_adapters
from npgpt.finetuning.freeze import part_of, put_back, trained_only
from npgpt.runs.adapters import (
    Adapter,
    is_adapter,
    load_adapter,
    load_adapter_training,
    merged,
    save_adapter,
)
from npgpt.runs.adapters.adapter import fingerprint_of_rows
from npgpt.runs.adapters.read import read_adapter_config, read_layers
from npgpt.runs.checkpoint import load_training, save_checkpoint
from npgpt.runs.checkpoint.training_state import check_state
from npgpt.runs.run import Run, saved_before
from npgpt.runs.start_from import read_again
from npgpt.tree import tree_map


def usual_targets(weights: dict) -> list[str]:
    """Queries and values, as in the paper; where one matrix makes both, that one."""
    return ["q", "v"] if "q" in weights["blocks"][0]["attention"] else ["qkv"]


def new_adapter(
    run: Run, rank: int, alpha: float, targets: list[str] | None = None, rslora: bool = False
) -> Adapter:
    """An adapter of a run's model before training, drawn from its seed. Raises InputError for
    unknown targets, and a rank that is larger than a matrix."""
    assert run.params is not None
    weights = run.model.weights(run.config)
    layers = init_adapters(
        run.model, run.config, targets or usual_targets(weights), rank, run.settings.seed,
        run.params["tokens"]["weight"].dtype)
    return Adapter(layers, rank, alpha, rslora, str(run.settings.start_from),
                   base_rows=fingerprint_of_rows(run.params))


def adapter_to_go_on_with(run: Run, path: str | Path) -> Adapter:
    """The adapter in a directory, of a run's model, to be trained further."""
    assert run.params is not None
    found = load_adapter(path, run.params, run.config, run.model)
    kind = run.params["tokens"]["weight"].dtype
    layers = tree_map(lambda array: array.astype(kind), found.layers)
    return replace(found, layers=layers, base=str(run.settings.start_from), dropout=0.0,
                   base_rows=fingerprint_of_rows(run.params))


def training_of(
    run: Run, params: dict, state: dict | None, lora_adapters: Callable = lora_adapters
) -> dict[str, Any]:
    """What a Trainer of the run is given besides: its adapters, and the optimiser's state of
    what is trained. lora_adapters: the trainer's package's own."""
    if run.adapter is not None:
        adapters = lora_adapters(params, run.adapter.layers, run.adapter.alpha)
    elif run.trains:
        adapters = trained_only(params, run.trains)
        state = state and {"step": state["step"], **{
            name: part_of(state[name], adapters.trained) for name in ("m", "v")}}
    else:
        return {"state": state}
    return {"adapters": adapters, "state": state}


def params_of(run: Run, trainer: Any) -> dict:
    """The model's weights as they are now, NumPy: with the adapter in them."""
    params = trainer.numpy(trainer.params)
    if run.trains:
        return put_back(run.base, params)[0]
    return params if run.adapter is None else merged(
        run.base, replace(run.adapter, layers=params))


def save_params(path: Path, run: Run, params: dict, training: dict) -> None:
    """Write what a run's trainer has trained: a model, or an adapter. The moments of layers
    that stay are 0."""
    if run.trains:
        zeros, state = tree_map(np.zeros_like, run.base), training["optimizer"]
        params = put_back(run.base, params)[0]
        training = {**training, "optimizer": {"step": state["step"], **{
            name: put_back(zeros, state[name])[0] for name in ("m", "v")}}}
    if run.adapter is None:
        save_checkpoint(path, run.config, params, training=training, family=run.model)
    else:
        save_adapter(path, replace(run.adapter, layers=params), run.config, run.model, training)


def training_in(path: Path, run: Run) -> dict | None:
    """The training state of a run's directory, or None before the first save."""
    if run.adapter is None:
        return load_training(path, run.config, run.model)
    return load_adapter_training(path, run.adapter.layers)


def restore_adapter(run: Run, run_json: dict[str, Any], adapter: Any) -> None:
    """A run of an adapter as its last save left it; at its beginning where there was none
    yet: then adapter(run) makes the first one. Raises InputError where the weights that it
    started from are others by now."""
    run.params = read_again(
        run.settings, run.config, run.model, str(run_json.get("weights_sha256")))
    if not is_adapter(run.path):
        if saved_before(run.path, run_json["settings"]["save_every"], "adapter_model.safetensors"):
            raise InputError(f"{run.path} has lost its adapter_config.json; restore it from a copy")
        run.adapter = adapter(run)
        return
    found = read_adapter_config(run.path)
    found.layers = read_layers(
        run.path, found.rank, run.model.weights(run.config), run.model)
    run.adapter = replace(found, base_rows=fingerprint_of_rows(run.params))
    training = load_adapter_training(run.path, found.layers)
    if training is None:
        raise InputError(f"{run.path} has lost its training.safetensors; restore it from a copy,"
                         " or start a new run")
    check_state(run.path, training)
    run.step, run.best, run.optimizer = training["step"], training["best"], training["optimizer"]
    run.adapter = replace(run.adapter, layers=training["params"])
