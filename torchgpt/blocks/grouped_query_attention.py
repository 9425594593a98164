"""Grouped-query attention: H heads of queries share K heads of keys and
values (Ainslie et al., 2023); positions enter by rotation (Su et al.,
2021)."""

from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.flash_attention import (
    flash_attention,
    flash_attention_backward,
)
from torchgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    repeat_heads,
    repeat_heads_backward,
    split_heads,
    split_heads_backward,
)
from torchgpt.layers.kv_cache import extend_cache
from torchgpt.layers.linear import linear, linear_backward
from torchgpt.layers.rms_norm import rms_norm, rms_norm_backward
from torchgpt.layers.rope import rope, rope_backward


def grouped_query_attention(x, params, heads, kv_heads, cos, sin, eps,
                            mask=None, causal=False, dropout_masks=None,
                            past=None):
    """x (B, T, C) -> y (B, T, C). heads: H; kv_heads: K, its divisor.

    cos, sin: the tokens' rotations, as `rope` takes them. Queries and
    keys are normed first, with eps, where params has "q_norm" and
    "k_norm". mask, causal: as `attention` takes them. past: the block's
    part of a KV cache, which holds rotated keys; with one, the queries
    attend to all S ≥ T tokens read so far."""
    dropout_masks = dropout_masks or {}
    # (1) queries, keys and values
    q, saved_q = linear(x, **params["q"])             # (B, T, H·D)
    k, saved_k = linear(x, **params["k"])             # (B, T, K·D)
    v, saved_v = linear(x, **params["v"])             # (B, T, K·D)
    # (2) split into heads
    q, saved_split_q = split_heads(q, heads)          # (B, H, T, D)
    k, saved_split_k = split_heads(k, kv_heads)       # (B, K, T, D)
    v, saved_split_v = split_heads(v, kv_heads)       # (B, K, T, D)
    # (3) norms of queries and keys, where there are any
    saved_norm_q = saved_norm_k = None
    if "q_norm" in params:
        q, saved_norm_q = rms_norm(q, eps=eps, **params["q_norm"])
        k, saved_norm_k = rms_norm(k, eps=eps, **params["k_norm"])
    # (4) rotate queries and keys
    q, saved_rope_q = rope(q, cos, sin)               # (B, H, T, D)
    k, saved_rope_k = rope(k, cos, sin)               # (B, K, T, D)
    k, v = extend_cache(past, k, v)                   # (B, K, S, D)
    # (5) repeat keys and values, for each head its own
    k, saved_repeat_k = repeat_heads(k, heads)        # (B, H, S, D)
    v, saved_repeat_v = repeat_heads(v, heads)        # (B, H, S, D)
    # (6) attention
    attended, saved_attention = flash_attention(
        q, k, v, mask, causal,
        dropout_masks.get("attention"))               # (B, H, T, D)
    # (7) merge the heads
    merged, saved_merge = merge_heads(attended)       # (B, T, H·D)
    # (8) output projection
    mixed, saved_out = linear(merged, **params["out"])       # (B, T, C)
    # (9) dropout
    y, saved_dropout = dropout(
        mixed, dropout_masks.get("attention_out"))    # (B, T, C)
    return y, (saved_q, saved_k, saved_v, saved_split_q, saved_split_k,
               saved_split_v, saved_norm_q, saved_norm_k, saved_rope_q,
               saved_rope_k, saved_repeat_k, saved_repeat_v,
               saved_attention, saved_merge, saved_out, saved_dropout)


def grouped_query_attention_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), gradients shaped like params."""
    (saved_q, saved_k, saved_v, saved_split_q, saved_split_k,
     saved_split_v, saved_norm_q, saved_norm_k, saved_rope_q,
     saved_rope_k, saved_repeat_k, saved_repeat_v,
     saved_attention, saved_merge, saved_out, saved_dropout) = saved
    grads = {}
    # (9) dropout
    d_mixed = dropout_backward(d_y, saved_dropout)    # (B, T, C)
    # (8) output projection
    d_merged, grads["out"] = linear_backward(d_mixed, saved_out)
    # (7) merge the heads
    d_attended = merge_heads_backward(d_merged, saved_merge)
    # (6) attention
    d_q, d_k, d_v = flash_attention_backward(
        d_attended, saved_attention)                  # (B, H, T, D)
    # (5) repeat keys and values, for each head its own
    d_v = repeat_heads_backward(d_v, saved_repeat_v)  # (B, K, T, D)
    d_k = repeat_heads_backward(d_k, saved_repeat_k)  # (B, K, T, D)
    # (4) rotate queries and keys
    d_k = rope_backward(d_k, saved_rope_k)            # (B, K, T, D)
    d_q = rope_backward(d_q, saved_rope_q)            # (B, H, T, D)
    # (3) norms of queries and keys, where there are any
    if saved_norm_q is not None:
        d_k, grads["k_norm"] = rms_norm_backward(d_k, saved_norm_k)
        d_q, grads["q_norm"] = rms_norm_backward(d_q, saved_norm_q)
    # (2) split into heads
    d_v = split_heads_backward(d_v, saved_split_v)    # (B, T, K·D)
    d_k = split_heads_backward(d_k, saved_split_k)    # (B, T, K·D)
    d_q = split_heads_backward(d_q, saved_split_q)    # (B, T, H·D)
    # (1) queries, keys and values: x is read by all three
    d_x_v, grads["v"] = linear_backward(d_v, saved_v)
    d_x_k, grads["k"] = linear_backward(d_k, saved_k)
    d_x_q, grads["q"] = linear_backward(d_q, saved_q)
    d_x = d_x_v + d_x_k + d_x_q                       # (B, T, C)
    return d_x, grads
