"""Freezing: a layer whose parameters hold `"trainable": False` keeps nothing for
its weights' gradients, and computes none."""

from npgpt.errors import InputError
from npgpt.finetuning.targets import matches
from npgpt.training.adapters import Adapters
from npgpt.tree import tree_leaves


def freeze(params, trains):
    """params, the same arrays, with `"trainable": False` in each layer but those for whose
    path, such as "blocks.0.attention.q", trains(path) holds."""
    def at(part, path):
        if isinstance(part, list):
            return [at(each, f"{path}.{i}") for i, each in enumerate(part)]
        if "weight" not in part:
            return {key: at(each, f"{path}.{key}") for key, each in part.items()}
        return part if trains(path[1:]) else {**part, "trainable": False}

    return at(params, "")


def trained_part(params):
    """What trains of params that `freeze` gave: their gradients' shape, {} where a layer
    is frozen."""
    if isinstance(params, list):
        return [trained_part(part) for part in params]
    if isinstance(params, dict):
        frozen = params.get("trainable") is False
        return {} if frozen else {key: trained_part(part) for key, part in params.items()}
    return params


def put_back(params, trained):
    """-> params with what trains in the place of theirs, and nothing saved."""
    def at(part, new):
        if isinstance(part, list):
            return [at(*each) for each in zip(part, new)]
        if isinstance(part, dict):
            return {key: at(each, new[key]) if key in new else each
                    for key, each in part.items()}
        return new

    return at(params, trained), None


def part_of(tree, trained):
    """-> what tree, shaped like params, holds where trained has an array."""
    if isinstance(trained, list):
        return [part_of(*each) for each in zip(tree, trained)]
    if isinstance(trained, dict):
        return {key: part_of(tree[key], each) for key, each in trained.items()}
    return tree


def trained_only(params, patterns):
    """The layers that train, as a Trainer's `adapters`: those that one of the patterns
    matches; all others are frozen. Raises InputError for a pattern that matches none."""
    layers = {path.rpartition(".")[0] for path, _ in tree_leaves(params)}
    for pattern in patterns:
        if not any(matches(path, pattern) for path in layers):
            raise InputError(f"no layer of this model is called {pattern!r}: give names such"
                             " as attention.q, or *.norm_1")

    def trains(path):
        return any(matches(path, pattern) for pattern in patterns)

    return Adapters(freeze(params, trains), trained_part(freeze(params, trains)), put_back,
                    lambda grads, saved: grads)
