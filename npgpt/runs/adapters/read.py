"""Reading an adapter: what `peft` opens is opened, or one line says what is not known."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.files import read_json
from npgpt.finetuning.targets import adaptable
from npgpt.runs.adapters.adapter import (
    CONFIG,
    WEIGHTS,
    Adapter,
    fingerprint_of_rows,
    names_in_file,
)
from npgpt.runs.checkpoint.listed import first_few
from npgpt.runs.checkpoint.tensors import DTYPES, open_tensors, tensors_in

# fields that change no result: where the layers are shows in the tensors' names
NO_MATTER = {
    "auto_mapping", "base_model_name_or_path", "ensure_weight_tying",
    "exclude_modules", "fan_in_fan_out", "inference_mode", "init_lora_weights",
    "layers_pattern", "layers_to_transform", "lora_alpha", "lora_dropout", "megatron_core",
    "peft_type", "peft_version", "qalora_group_size", "r", "revision", "runtime_config",
    "target_modules", "task_type", "use_rslora",
}
# the values that are known here, the first where the field is left out; of all
# others: None, false and what is empty
KNOWN = {
    "peft_type": ["LORA"],
    "bias": ["none"],
    # others have changed the base model's weights as well
    "init_lora_weights": [True, False, None, "gaussian", "orthogonal"],
}


def is_adapter(path: str | Path) -> bool:
    return (Path(path) / CONFIG).is_file()


def load_adapter(path: str | Path, params: dict, config: Any, family: Any) -> Adapter:
    """An adapter of the model of these weights. Raises InputError for one of another model, of
    a kind that is not known here, and for damaged files."""
    path = Path(path)
    found = read_adapter_config(path)
    layers = read_layers(path, found.rank, family.weights(config), family)
    belongs_to(path, params)
    found.layers = layers
    return found


def read_adapter_config(path: Path) -> Adapter:
    """What adapter_config.json says; the matrices are not read yet."""
    file = path / CONFIG
    if not file.is_file():
        raise InputError(f"{path} holds no adapter: there is no {CONFIG} in it")
    found = read_json(file)
    refuse_unknown(file, found)
    rank, alpha = found.get("r", 8), found.get("lora_alpha", 8)
    dropout, base = found.get("lora_dropout") or 0.0, found.get("base_model_name_or_path")
    if type(rank) is not int or rank < 1:
        raise InputError(f"{file}: r is {quote(rank)}; it must be a whole number, 1 or more")
    for name, value in (("lora_alpha", alpha), ("lora_dropout", dropout)):
        if type(value) not in (int, float) or not math.isfinite(value):
            raise InputError(f"{file}: {name} is {quote(value)}; it must be a number")
    return Adapter({}, rank, float(alpha), bool(found.get("use_rslora")),
                   base if isinstance(base, str) else None, float(dropout))


def refuse_unknown(file: Path, found: dict) -> None:
    """Raise InputError for what changes the result in a way that is not known here."""
    for name, allowed in KNOWN.items():
        value = found.get(name, allowed[0])
        if value not in allowed:
            raise InputError(f"{file}: {name} is {quote(value)}; only"
                             f" {' or '.join(map(repr, allowed[:2]))} is known here")
    for name, value in found.items():
        if name not in NO_MATTER and name not in KNOWN and value:
            raise InputError(f"{file}: {name} is {quote(value)}; such adapters are not known here,"
                             " LoRA on linear layers is")


def read_layers(path: Path, rank: int, weights: dict, family: Any) -> dict[str, dict]:
    """{layer: {"A": (I, r), "B": (r, O)}}, of all layers that the file has matrices for."""
    file = path / WEIGHTS
    if not file.exists() and (path / "adapter_model.bin").exists():
        raise InputError(f"{path} has its weights in adapter_model.bin, which is pickle: save the"
                         " adapter as safetensors")
    found = {stored.name: stored for stored in tensors_in(file)}
    layers: dict[str, dict] = {}
    for layer, (inputs, outputs) in adaptable(weights).items():
        names = names_in_file(layer, family)
        there = [each for each in "AB" if names[each] in found]
        if len(there) == 1:
            raise InputError(f"{file} has {names[there[0]]}, but not its partner;"
                             " restore it from a copy")
        if there:
            a, b = (found.pop(names[each]) for each in "AB")
            for stored, shape in ((a, (rank, inputs)), (b, (outputs, rank))):
                check_matrix(stored, shape)
            layers[layer] = {"A": np.ascontiguousarray(a.read().T),
                             "B": np.ascontiguousarray(b.read().T)}
            for stored, array in ((a, layers[layer]["A"]), (b, layers[layer]["B"])):
                if not np.isfinite(array).all():
                    raise InputError(f"{file}: {stored.name} is not finite;"
                                     " restore it from a copy")
    if found:
        raise InputError(f"{file} is of another base model, or adapts what is not adapted here:"
                         f" this model has no place for {first_few(sorted(found))}")
    if not layers:
        raise InputError(f"{file} adapts no layer: it is empty")
    return layers


def check_matrix(stored: Any, shape: tuple[int, int]) -> None:
    if stored.shape != shape:
        raise InputError(f"{stored.file}: {stored.name} is {quote(stored.shape)}, and this base"
                         f" model and rank need {shape}: it is of another model")
    if stored.dtype not in DTYPES:
        raise InputError(f"{stored.file}: {stored.name} is stored as {stored.dtype};"
                         " save the adapter as float32, float16, bfloat16 or float64")


def belongs_to(path: Path, params: dict) -> None:
    """Raise InputError where the file says that it was trained on other weights."""
    with open_tensors(path / WEIGHTS) as source:
        base = (source.metadata() or {}).get("base_rows_sha256")
    if base not in (None, fingerprint_of_rows(params)):
        raise InputError(f"{path} was trained on another base model: give the model that its"
                         f" {CONFIG} names")
