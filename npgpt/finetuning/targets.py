"""Which layers an adapter changes, and how large its matrices are."""

import math
from fnmatch import fnmatchcase

from npgpt.errors import InputError
from npgpt.families.weight import Weight, uniform, zeros
from npgpt.tree import tree_leaves


def adaptable(weights):
    """A family's `weights(config)` -> {path of a layer: (I, O)}, of those that
    multiply by a matrix; tables of which rows are looked up are none."""
    return {path.removesuffix(".weight"): weight.shape for path, weight in tree_leaves(weights)
            if path.startswith(("blocks.", "head.")) and len(weight.shape) == 2}


def matches(path, pattern):
    """Whether a layer's path is the pattern or ends in it, `*` standing for anything:
    "q", "attention.q" and "blocks.0.*.q" all match "blocks.0.attention.q"."""
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*.{pattern}")


def find_targets(weights, patterns):
    """-> {path: (I, O)} of the layers that one of the patterns matches. Raises InputError
    for a pattern that matches none."""
    layers = adaptable(weights)
    for pattern in patterns:
        if not any(matches(path, pattern) for path in layers):
            names = sorted({path.rpartition(".")[2] for path in layers})
            raise InputError(f"no layer of this model is called {pattern!r}: give some of"
                             f" {', '.join(names)}, with commas between them")
    if not patterns:
        raise InputError("no layers to adapt: name some, such as q,v")
    return {path: shape for path, shape in layers.items()
            if any(matches(path, pattern) for pattern in patterns)}


def adapter_weights(weights, patterns, rank):
    """-> {path: {"A": Weight (I, r), "B": Weight (r, O)}}: A is drawn between -1/√I and 1/√I,
    B is 0, so that training begins at the model as it is. Raises InputError for a
    pattern that no layer matches and a rank that is larger than a matrix."""
    found = find_targets(weights, patterns)
    if rank < 1:
        raise InputError(f"rank is {rank}: give 1 or more")
    for path, (inputs, outputs) in found.items():
        if rank > min(inputs, outputs):
            raise InputError(f"rank is {rank}, but {path} is a matrix of {inputs} by {outputs}:"
                             f" give {min(inputs, outputs)} or less")
    return {path: {"A": Weight((inputs, rank), uniform(1 / math.sqrt(inputs))),
                   "B": Weight((rank, outputs), zeros)}
            for path, (inputs, outputs) in found.items()}
