"""Multi-head attention: H heads attend at once, each in its own D = C/H
channels (Vaswani et al., 2017, section 3.2.2)."""

from npgpt.layers.blockwise_attention import (
    blockwise_attention,
    blockwise_attention_backward,
)
from npgpt.layers.dropout import dropout, dropout_backward
from npgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    split_qkv,
    split_qkv_backward,
)
from npgpt.layers.kv_cache import extend_cache
from npgpt.layers.linear import linear, linear_backward


def multi_head_attention(x, params, heads, mask=None, causal=False,
                         dropout_masks=None, past=None):
    """x (B, T, C) -> y (B, T, C). mask, causal: as `attention` takes
    them. past: the block's part of a KV cache; with one, the queries
    attend to all S ≥ T tokens read so far."""
    dropout_masks = dropout_masks or {}
    # (1) queries, keys and values in one product
    qkv, saved_qkv = linear(x, **params["qkv"])       # (B, T, 3C)
    # (2) split into heads
    (q, k, v), saved_split = split_qkv(qkv, heads)
    k, v = extend_cache(past, k, v)                   # (B, H, S, D)
    # (3) attention
    attended, saved_attention = blockwise_attention(
        q, k, v, mask, causal,
        dropout_masks.get("attention"))               # (B, H, T, D)
    # (4) merge the heads
    merged, saved_merge = merge_heads(attended)       # (B, T, C)
    # (5) output projection
    mixed, saved_out = linear(merged, **params["out"])  # (B, T, C)
    # (6) dropout
    y, saved_dropout = dropout(
        mixed, dropout_masks.get("attention_out"))    # (B, T, C)
    return y, (saved_qkv, saved_split, saved_attention,
               saved_merge, saved_out, saved_dropout)


def multi_head_attention_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    (saved_qkv, saved_split, saved_attention,
     saved_merge, saved_out, saved_dropout) = saved
    # (6) dropout
    d_mixed = dropout_backward(d_y, saved_dropout)    # (B, T, C)
    # (5) output projection
    d_merged, d_out = linear_backward(d_mixed, saved_out)  # (B, T, C)
    # (4) merge the heads
    d_attended = merge_heads_backward(d_merged, saved_merge)
    # (3) attention
    d_q, d_k, d_v = blockwise_attention_backward(
        d_attended, saved_attention)
    # (2) split into heads
    d_qkv = split_qkv_backward((d_q, d_k, d_v), saved_split)
    # (1) queries, keys and values in one product
    d_x, d_weights = linear_backward(d_qkv, saved_qkv)  # (B, T, C)
    return d_x, {"out": d_out, "qkv": d_weights}
