"""Dropout masks, drawn from the run's stream: both packages get the same."""

import numpy as np

from npgpt.random_stream import uniforms
from npgpt.tree import tree_map_with_path


def draw_dropout_masks(model, config, B, T, rate, seed, step, dtype=np.float32):
    """The masks of one step, shaped as `model.dropout_shapes` says, 0 or
    1 / (1 - rate) each; None for rate 0."""
    if rate == 0:
        return None
    scale = 1 / (1 - rate) if rate < 1 else 0.0

    def mask(path, shape):
        draws = uniforms(shape, seed, step, f"dropout.{path}")
        return (draws >= rate).astype(dtype) * dtype(scale)

    return tree_map_with_path(mask, model.dropout_shapes(config, B, T))
