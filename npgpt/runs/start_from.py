"""A run that starts from the weights of another: its own, or anyone's of a known family."""

import hashlib
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.runs.checkpoint import family_in, find_directory, load_checkpoint
from npgpt.runs.checkpoint.weights import shapes
from npgpt.runs.settings import Settings, flags
from npgpt.tree import tree_leaves, tree_map


def model_to_start(given: dict[str, Any], by_type: dict[str, Any], name: str | None = None) -> Any:
    """The model of a new run: of the weights that it starts from, or the one of this name.
    Raises InputError for a name that is none, and for both."""
    start = given.get("start_from")
    if not start:
        return named_model(name or "gpt2", by_type)
    if name is not None:
        raise InputError("--model cannot be given with --from: the weights are of one family")
    return family_in(find_directory(start), by_type)


def named_model(name: str, by_type: dict[str, Any]) -> Any:
    """The model of a family, by the family's own name."""
    known = {model.FILES["model_type"]: model for model in by_type.values()}
    if name not in known:
        *others, last = known
        raise InputError(f"model is {quote(name)}: give {', '.join(others)} or {last}")
    return known[name]


def read_start(
    settings: Settings, given: dict[str, Any], model: Any
) -> tuple[Settings, Any, dict]:
    """-> the settings with the checkpoint's sizes, its tokenizer, its weights. A shorter
    context than its own may be `given`. Raises InputError for other sizes or none."""
    checkpoint = load_checkpoint(str(settings.start_from), model)
    own = [each.name for each in fields(model.Config) if each.name != "context_length"]
    both = [name for name in ("tokenizer", *own) if name in given]
    if both:
        raise InputError(f"{flags(both)} cannot be given with --from: sizes and tokenizer"
                         f" come from {checkpoint.path}")
    tokenizer, config = checkpoint.tokenizer, checkpoint.config
    if tokenizer is None:
        raise InputError(f"{checkpoint.path} has no tokenizer: put its tokenizer.json there")
    if tokenizer.vocab_size > config.vocab_size:
        raise InputError(f"{checkpoint.path}: its tokenizer has {tokenizer.vocab_size} tokens, but"
                         f" its model {config.vocab_size}: it cannot be trained on them")
    limit = config.context_length
    T = given.get("context_length", limit or settings.context_length)
    if limit is not None and limit < T:
        raise InputError(f"context_length is {T}: the model in {checkpoint.path} has {limit},"
                         " and may be given less, not more")
    sizes = {name: getattr(config, name) for name in own if name != "vocab_size"}
    where = os.path.abspath(checkpoint.path) if Path(str(settings.start_from)).exists() else (
        settings.start_from)
    settings = replace(settings, sizes=sizes, context_length=T, start_from=where)
    config = settings.config(tokenizer.vocab_size, model.Config)
    return settings, tokenizer, cut_to(checkpoint.params, config, model, settings.dtype)


def read_again(settings: Settings, config: Any, model: Any, sha256: str) -> dict:
    """The weights that a run started from, for one that has saved none of its own yet.
    Raises InputError where they are others by now."""
    params = load_checkpoint(str(settings.start_from), model).params
    params = cut_to(params, config, model, settings.dtype)
    if fingerprint(params) != sha256:
        raise InputError(f"the weights in {settings.start_from} are not those that the run"
                         " started from: restore them, or start a new run")
    return params


def cut_to(params: dict, config: Any, model: Any, dtype: str) -> dict:
    """Weights of their own memory, without the rows of positions and tokens that the
    config does not have."""
    kind = np.float64 if dtype == "float64" else np.float32
    return tree_map(lambda shape, array: np.array(array[tuple(map(slice, shape))], kind),
                    shapes(config, model), params)


def fingerprint(params: dict) -> str:
    """SHA-256 of all weights, whatever their order in memory."""
    digest = hashlib.sha256()
    for name, array in sorted(tree_leaves(params)):
        digest.update(name.encode() + np.ascontiguousarray(array).data)
    return digest.hexdigest()
