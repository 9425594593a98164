"""Windows of a long row of ids: what the model reads, and what follows.

    text      t h e   m o d e l
    inputs    t h e   m
    targets     h e   m o          the same window, one place on
"""

import numpy as np

from npgpt.layers.cross_entropy import IGNORE
from npgpt.random_stream import uniforms
from npgpt.tree import tree_map


def draw_batch(ids, context_length, batch_size, seed, step):
    """inputs (B, T), targets (B, T): the same for this seed and step,
    wherever the run was interrupted. `ids` (n,) may be a mapped file."""
    windows = len(ids) - context_length
    draws = uniforms((batch_size,), seed, step, "batch")
    starts = (draws * windows).astype(np.int64)            # (B,)
    return windows_at(ids, starts, context_length)


def windows_at(ids, starts, context_length):
    """inputs (B, T), targets (B, T) for windows that start there."""
    reach = starts[:, None] + np.arange(context_length + 1)
    rows = np.asarray(ids[reach], dtype=np.int64)         # (B, T + 1)
    return rows[:, :-1], rows[:, 1:]                      # shift by one


def evaluation_batches(ids, context_length, batch_size, batches=None):
    """All of `ids` in windows side by side, or `batches` batches of
    windows spread evenly over it; yields inputs, targets.

    Of all, each token but the first is a target once; what is left over
    at the end is filled up with ignored targets.
    """
    T = context_length
    starts = np.arange(0, len(ids) - 1, T)
    if batches is not None and batches * batch_size < len(starts):
        picks = np.linspace(0, len(starts) - 1, batches * batch_size)
        starts = starts[picks.astype(np.int64)]
    for first in range(0, len(starts), batch_size):
        some = starts[first:first + batch_size]
        reach = some[:, None] + np.arange(T + 1)          # (B, T + 1)
        rows = np.asarray(ids[np.minimum(reach, len(ids) - 1)], np.int64)
        targets = np.where(reach[:, 1:] < len(ids), rows[:, 1:], IGNORE)
        yield rows[:, :-1], targets


def micro_batches(batch, parts):
    """A batch, a dict of arrays, cut into `parts` smaller ones of equal
    size."""
    size = len(batch["targets"]) // parts
    cuts = [slice(i * size, (i + 1) * size) for i in range(parts)]
    return [tree_map(lambda array: array[cut], batch) for cut in cuts]  # noqa: B023
