"""Blockwise attention: causal attention, a block of queries at a time;
what lies ahead of the whole block is never computed (Dao, 2023, section
3.1)."""

import torch

from torchgpt.layers.attention import (
    attention,
    attention_backward,
    attention_reference,
)

BLOCK = 64


def blockwise_attention(q, k, v, mask=None, causal=False,
                        dropout_mask=None, size=BLOCK):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D).

    As `attention`, with S ≥ T where causal; what is not causal is one
    block. size: the queries of a block."""
    B, H, T, _ = q.shape
    S = k.shape[2]
    if not causal:
        size = T
    if mask is not None:
        mask = mask.expand(B, H, T, S)
    y, saved = torch.zeros_like(q), ()
    for start in range(0, T, size):
        # (1) take a block, and the keys up to its last query
        rows = slice(start, min(start + size, T))
        end = S - T + rows.stop if causal else S
        cut = (slice(None), slice(None), rows, slice(end))
        mask_block = None if mask is None else mask[cut]
        dropout_block = None
        if dropout_mask is not None:
            dropout_block = dropout_mask[cut]
        # (2) attention
        y[:, :, rows], saved_block = attention(
            q[:, :, rows], k[:, :, :end], v[:, :, :end],
            mask_block, causal, dropout_block)
        saved += ((rows, end, saved_block),)
    return y, saved


def blockwise_attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    # (2) attention
    parts = [attention_backward(d_y[:, :, rows], saved_block)
             for rows, _, saved_block in saved]
    # (1) take a block: a key gathers from each block that used it
    d_q = torch.cat([d_rows for d_rows, _, _ in parts], dim=2)
    _, d_k, d_v = parts.pop()             # the last block saw them all
    for (_, end, _), (_, d_keys, d_values) in zip(saved, parts):
        d_k[:, :, :end] += d_keys
        d_v[:, :, :end] += d_values
    return d_q, d_k, d_v


def blockwise_attention_reference(q, k, v, mask=None, causal=False,
                                  dropout_mask=None, size=BLOCK):
    """One block, whatever its size."""
    return attention_reference(q, k, v, mask, causal, dropout_mask)
