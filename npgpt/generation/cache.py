"""Caches: what a model keeps of the tokens that it has read."""

from dataclasses import replace

import numpy as np

from npgpt.tree import tree_leaves, tree_map


def empty_cache(model, config, batch, params, room=None):
    """-> the cache of `batch` rows that have read nothing, zeros of the
    weights' dtype and start 0; None for a model that keeps none. room:
    for how many tokens, by default the whole context."""
    if room is not None:
        config = replace(config, context_length=room)
    shapes = model.cache_shapes(config, batch)
    if shapes is None:
        return None
    _, like = next(tree_leaves(params))
    storage = tree_map(
        lambda shape: np.zeros(shape, like.dtype), shapes)
    return {**storage, "start": 0}


def read(model, params, config, rows, cache, mask=None, positions=None):
    """rows: B lists of the next T ids each; of a model with several
    inputs a dict of such -> the logits of each row's last one, (B, V),
    and the cache that has read them; None for a model that keeps
    none."""
    _, like = next(tree_leaves(params))
    logits, new = model.forward(
        params, as_ids(rows, like), config, mask=mask,
        positions=positions, cache=cache)
    return logits[:, -1], None if cache is None else new


def as_ids(rows, like):
    """-> lists of ids as an array (B, T), or a dict of them."""
    if isinstance(rows, dict):
        return {name: as_ids(part, like) for name, part in rows.items()}
    return np.array(rows)
