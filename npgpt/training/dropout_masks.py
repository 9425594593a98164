"""Dropout masks, drawn from the run's stream: both halves get the same."""

import numpy as np

from npgpt.random_stream import uniforms
from npgpt.tree import rebuild


def draw_keep(config, batch, length, rate, seed, step, dtype=np.float32):
    """The model's `keep` for one step, 0 or 1 / (1 - rate) each; None
    for rate 0.

    embedding, attention_out, feed_forward_out (B, T, C); attention
    (B, H, T, T).
    """
    if rate == 0:
        return None

    def mask(shape, name):
        draws = uniforms(shape, seed, step, f"dropout.{name}")
        scale = 1 / (1 - rate) if rate < 1 else 0.0
        return (draws >= rate).astype(dtype) * dtype(scale)

    stream = (batch, length, config.channels)
    scores = (batch, config.heads, length, length)
    return {
        "embedding": mask(stream, "embedding"),
        "blocks": [
            {"attention": mask(scores, f"blocks.{i}.attention"),
             "attention_out": mask(stream, f"blocks.{i}.attention_out"),
             "feed_forward_out": mask(stream,
                                      f"blocks.{i}.feed_forward_out")}
            for i in range(config.layers)],
    }


def micro_keep(keep, part, parts):
    """The rows of `keep` that belong to one micro-batch."""
    if keep is None:
        return None
    return rebuild(keep, lambda _, mask: np.split(mask, parts)[part])
