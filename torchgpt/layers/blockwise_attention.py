"""Blockwise attention: a block of queries looks at the keys that it may
see; what lies ahead of the whole block is never computed (Dao, 2023,
section 3.1)."""

import torch

from torchgpt.layers.attention import (
    attention,
    attention_backward,
    attention_reference,
)
from torchgpt.layers.masks import causal_mask

BLOCK = 64


def blockwise_attention(q, k, v, visible=None, keep=None, size=BLOCK):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D).

    visible: as `attention` takes it, and all in one block; None: the T
    queries stand at the last of S ≥ T places and see no later ones.
    keep: a dropout mask. size: the queries of a block."""
    T, S = q.shape[2], k.shape[2]
    if visible is not None:
        size = T
    y, saved = torch.zeros_like(q), ()
    for start in range(0, T, size):
        # (1) cut out a block, and the keys up to its last query
        rows = slice(start, min(start + size, T))
        end = S - T + rows.stop
        visible_block = visible
        if visible is None:
            visible_block = causal_mask(rows.stop - start, end, q)
        keep_block = None if keep is None else keep[:, :, rows, :end]
        # (2) look around
        y[:, :, rows], saved_block = attention(
            q[:, :, rows], k[:, :, :end], v[:, :, :end],
            visible_block, keep_block)
        saved += ((rows, end, saved_block),)
    return y, saved


def blockwise_attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    # (2) look around
    parts = [attention_backward(d_y[:, :, rows], saved_block)
             for rows, _, saved_block in saved]
    # (1) cut out a block: a key gathers from each block that saw it
    d_q = torch.cat([d_rows for d_rows, _, _ in parts], dim=2)
    _, d_k, d_v = parts.pop()             # the last block saw them all
    for (_, end, _), (_, d_keys, d_values) in zip(saved, parts):
        d_k[:, :, :end] += d_keys
        d_v[:, :, :end] += d_values
    return d_q, d_k, d_v


def blockwise_attention_reference(q, k, v, visible=None, keep=None,
                                  size=BLOCK):
    """One block, whatever its size."""
    if visible is None:
        visible = causal_mask(q.shape[2], k.shape[2], q)
    return attention_reference(q, k, v, visible, keep)
