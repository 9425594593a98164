"""Ways to damage a run's directory."""

import json

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from npgpt.text import CharacterTokenizer


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def swap_tokenizer(path):

    CharacterTokenizer.train("abc").save(path / "tokenizer.json")


def foreign(path):
    save_file({"bias": np.ones(3, np.float32)}, path / "model.safetensors")


def lose_a_tensor(path):
    tensors = load_file(path / "model.safetensors")
    del tensors["transformer.ln_f.bias"]
    save_file(tensors, path / "model.safetensors")


def no_number(path):
    tensors = load_file(path / "model.safetensors")
    tensors["transformer.h.0.mlp.c_fc.bias"][1] = np.nan
    save_file(tensors, path / "model.safetensors")


def shards(weight_map):
    def change(path):
        (path / "model.safetensors").unlink()
        (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return change


def edit(name, **changes):
    """Other values in a JSON file; None takes one away."""

    def change(path):
        fields = {**json.loads((path / name).read_text()), **changes}
        kept = {key: value for key, value in fields.items() if value is not None}
        (path / name).write_text(json.dumps(kept))

    return change


def setting(name, value):
    """Another value of a setting in run.json."""

    def change(path):
        settings = json.loads((path / "run.json").read_text())["settings"]
        edit("run.json", settings={**settings, name: value})(path)

    return change


def facts(change):
    """Others of a training state: a text in their place, or other values, ... for none."""

    def apply(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            known = json.loads(source.metadata()["facts"])
        kept = change if isinstance(change, str) else json.dumps(
            {name: value for name, value in {**known, **change}.items() if value is not ...})
        save_file(load_file(file), file, metadata={"facts": kept})

    return apply


def moments(change):
    """A training state in which one of AdamW's running means is another."""

    def apply(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            metadata = source.metadata()
        tensors = load_file(file)
        change(tensors, "optimizer.m.tokens.weight")
        save_file(tensors, file, metadata=metadata)

    return apply


def turn_into_a_directory(path):
    path.unlink()
    path.mkdir()


def lose_the_state(path):
    """Of a run that has gone on after its first save."""
    settings = json.loads((path / "run.json").read_text())["settings"]
    edit("run.json", settings={**settings, "save_every": 1})(path)
    (path / "training.safetensors").unlink()
