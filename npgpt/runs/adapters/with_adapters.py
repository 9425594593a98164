"""A model with adapters: opened together, and saved as one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from npgpt.errors import InputError, quote
from npgpt.files import name_beside, read_json, write_atomically
from npgpt.runs.adapters.adapter import CONFIG, Adapter, merged
from npgpt.runs.adapters.read import load_adapter
from npgpt.runs.checkpoint.save_and_load import Checkpoint, load_checkpoint
from npgpt.runs.checkpoint.tokenizer_files import find_chat_template
from npgpt.runs.checkpoint.weights import write_weights

# what a merged model takes over from its base, as it is
COPIED = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "vocab.json",
         "merges.txt", "special_tokens_map.json", "generation_config.json")


def load_with_adapters(
    path: str | Path, adapters: list[str] | None = None, as_stored: bool = True
) -> Checkpoint:
    """The model in `path` with the adapters in these directories added to it, one after the
    other. Raises InputError for an adapter of another model."""
    checkpoint = load_checkpoint(path, as_stored=as_stored)
    found = [load_adapter(each, checkpoint.params, checkpoint.config, checkpoint.family)
             for each in adapters or []]
    if not found:
        return checkpoint
    return replace(checkpoint, params=merged(checkpoint.params, *found),
                   template_path=template_path(checkpoint.path, adapters or []))


def template_path(base: Path, adapters: list[str]) -> Path | None:
    """The last adapter with a chat template, where the base has none: it was trained on it."""
    if find_chat_template(base)[0] is not None:
        return None
    return next((Path(each) for each in reversed(adapters)
                 if find_chat_template(Path(each))[0] is not None), None)


def save_merged(checkpoint: Checkpoint, out: str | Path) -> None:
    """Write a model to a new directory, all of it at once, with its base's tokenizer and
    chat template. Raises InputError where `out` holds anything already."""
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already: choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = name_beside(out)
    aside.mkdir()
    try:
        config = read_json(checkpoint.path / "config.json")
        # what the numbers are written as, whatever they were stored as
        config |= {name: "float32" for name in ("dtype", "torch_dtype") if name in config}
        write_atomically(aside / "config.json", json.dumps(config, indent=2) + "\n")
        for name in COPIED:
            if (checkpoint.path / name).is_file():
                shutil.copyfile(checkpoint.path / name, aside / name)
        if checkpoint.template_path is not None:
            template, about = find_chat_template(checkpoint.template_path)
            write_atomically(aside / "chat_template.jinja", str(template))
            write_atomically(aside / "tokenizer_config.json", json.dumps(about, indent=2) + "\n")
        write_weights(aside, checkpoint.params, checkpoint.family)
        if out.exists():
            out.rmdir()
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def adapters_below(path: str | Path) -> list[Path]:
    """The directories with an adapter in `path`, itself and at most two levels below."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"there is no directory {quote(str(path))}")
    found = {file.parent for pattern in (CONFIG, f"*/{CONFIG}", f"*/*/{CONFIG}")
             for file in path.glob(pattern)}
    return sorted(found)


def layer_sizes(adapter: Adapter, params: dict) -> list[dict[str, Any]]:
    """Of each adapted layer: its shape, and the update's norm beside the weight's."""
    import numpy as np

    from npgpt.tree import tree_leaves

    weights, rows = dict(tree_leaves(params)), []
    for layer, each in adapter.layers.items():
        weight = weights[f"{layer}.weight"]
        update = adapter.alpha / adapter.rank * (each["A"] @ each["B"])
        norm, base = float(np.linalg.norm(update)), float(np.linalg.norm(weight))
        rows.append({"layer": layer, "inputs": weight.shape[0], "outputs": weight.shape[1],
                     "update_norm": norm, "weight_norm": base, "ratio": norm / max(base, 1e-30)})
    return rows
