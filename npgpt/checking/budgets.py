"""Error budgets: how far two right answers may lie apart.

    max|error| ≤ C · u · max S

u is the unit round-off of the number format. S is the size of the terms
that are added up: the same formula with absolute values in place of the
terms, so that it says how much rounding there can be where they cancel.
Each layer derives its own; a block's or a model's is measured. A budget follows from
the formula; it is never raised until a test is green."""

from dataclasses import replace

import numpy as np

from npgpt import layers
from npgpt.checking.case import is_float, is_pair
from npgpt.checking.comparison import error_between
from npgpt.replacing import replaced

UNIT = {"float64": 2.0 ** -53, "float32": 2.0 ** -24, "bfloat16": 2.0 ** -8}
# the smallest normal number: what is smaller may be lost whole
TINY = {"float64": 2.0 ** -1022, "float32": 2.0 ** -126, "bfloat16": 2.0 ** -126}
LAYER, COMPOSITE, BFLOAT16 = 32, 64, 8
NUDGE = 1e-6


def budgets(case, scales, dtype):
    """-> {result: the largest error allowed}. S counts as TINY/u² at least:
    where a term underflows, what it is multiplied by is less than 1/u. What
    is 0 whatever the numbers has an S of 0, and must be 0."""
    constant = COMPOSITE if case.scale is None else LAYER
    if dtype == "bfloat16":
        constant = BFLOAT16
    least = TINY[dtype] / UNIT[dtype] ** 2
    return {name: constant * UNIT[dtype] * (max(scale, least) if scale else 0.0)
            for name, scale in scales.items()}


def scales(case, first, values=None):
    """-> {result: max S}; the first implementation computes where S must be
    measured."""
    if case.scale is not None:
        return {name: largest(size) for name, size in case.scale(case).items()}
    return measured(case, first, first.compute, values or first.compute(case))


def measured(case, first, compute, values, draws=8):
    """The largest |f(x(1 + δξ)) − f(x)| / δ over eight draws of ξ, and at
    least the size of the result itself, which is rounded too.

    ξ moves the inputs, the weights, the upstream gradient, and in the same
    way what each layer is handed: a product of halves that cancel inside is
    small, but the rounding of the halves is not."""
    size = {name: max(largest(value), case.least_scale.get(name, 0.0))
            for name, value in values.items()}
    rng = np.random.default_rng(0)
    with replaced(first.packages[0], nudged_layers(first, rng)):
        for _ in range(draws):
            nudged = compute(nudge(case, rng))
            for name, value in values.items():
                if name in nudged:
                    error, _ = error_between(nudged[name], value)
                    size[name] = max(size[name], error / NUDGE if np.isfinite(error) else 0.0)
    return size


def nudge(case, rng):
    moved = ("inputs", "params", "d_y") if is_pair(case) else ("params",)
    return replace(case, **{part: off_a_little(getattr(case, part), rng) for part in moved})


def off_a_little(tree, rng):
    """The same tree, each float in it off by a relative NUDGE at most."""
    if isinstance(tree, dict):
        return {name: off_a_little(part, rng) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(off_a_little(part, rng) for part in tree)
    if not is_float(tree):
        return tree
    off = rng.uniform(-1, 1, tuple(tree.shape))
    return tree * (1 + NUDGE * (tree.new_tensor(off) if hasattr(tree, "new_tensor") else off))


def nudged_layers(first, rng):
    """[(layer, the layer on arguments that are off a little), ...]."""
    def nudged(layer):
        def call(*args, **options):
            return layer(*off_a_little(args, rng), **off_a_little(options, rng))

        return call

    found = [first.find(name) for name in layers.__all__ if name != "extend_cache"]
    return [(layer, nudged(layer)) for layer in found if layer]


def largest(array):
    """max|a| of what is finite, 0 where nothing is."""
    array = np.abs(array)
    return float(np.max(array, initial=0.0, where=np.isfinite(array)))
