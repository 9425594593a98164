"""Multi-head attention: H heads look around at once, each in its own
D = C/H channels (Vaswani et al., 2017, section 3.2.2)."""

from torchgpt.layers.blockwise_attention import (
    blockwise_attention,
    blockwise_attention_backward,
)
from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    split_heads,
    split_heads_backward,
)
from torchgpt.layers.kv_cache import extend_cache
from torchgpt.layers.linear import linear, linear_backward


def multi_head(x, params, heads, visible=None, keep=None, past=None):
    """x (B, T, C) -> y (B, T, C). visible: who sees whom; None: each
    token itself and what came before. past: the block's part of a KV
    cache; with one, the queries look at S ≥ T tokens."""
    keep = keep or {}
    # (1) one product makes queries, keys and values
    qkv, saved_qkv = linear(x, **params["qkv"])       # (B, T, 3C)
    # (2) cut them into heads
    (q, k, v), saved_split = split_heads(qkv, heads, parts=3)
    k, v = extend_cache(past, k, v)                   # (B, H, S, D)
    # (3) look around
    seen, saved_attention = blockwise_attention(
        q, k, v, visible, keep.get("attention"))      # (B, H, T, D)
    # (4) join the heads
    joined, saved_merge = merge_heads(seen)           # (B, T, C)
    # (5) mix what they saw
    mixed, saved_out = linear(joined, **params["out"])       # (B, T, C)
    # (6) drop some
    y, saved_dropout = dropout(mixed, keep.get("attention_out"))
    return y, (saved_qkv, saved_split, saved_attention,
               saved_merge, saved_out, saved_dropout)


def multi_head_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    (saved_qkv, saved_split, saved_attention,
     saved_merge, saved_out, saved_dropout) = saved
    # (6) drop some
    d_mixed = dropout_backward(d_y, saved_dropout)    # (B, T, C)
    # (5) mix what they saw
    d_joined, d_out = linear_backward(d_mixed, saved_out)    # (B, T, C)
    # (4) join the heads
    d_seen = merge_heads_backward(d_joined, saved_merge)
    # (3) look around
    d_q, d_k, d_v = blockwise_attention_backward(
        d_seen, saved_attention)
    # (2) cut them into heads
    d_qkv = split_heads_backward((d_q, d_k, d_v), saved_split)
    # (1) one product makes queries, keys and values
    d_x, d_qkv = linear_backward(d_qkv, saved_qkv)    # (B, T, C)
    return d_x, {"qkv": d_qkv, "out": d_out}
