"""Cross-attention: the queries come from one sequence, the keys and the
values from another, the memory (Vaswani et al., 2017, section
3.2.3)."""

from torchgpt.layers.attention import attention, attention_backward
from torchgpt.layers.dropout import dropout, dropout_backward
from torchgpt.layers.heads import (
    merge_heads,
    merge_heads_backward,
    split_heads,
    split_heads_backward,
)
from torchgpt.layers.linear import linear, linear_backward


def project_heads(x, params, heads):
    """x (B, S, C) -> y (B, H, S, D): queries, keys or values."""
    # (1) project
    projected, saved_linear = linear(x, **params)     # (B, S, C)
    # (2) split into heads
    y, saved_split = split_heads(projected, heads)    # (B, H, S, D)
    return y, (saved_linear, saved_split)


def project_heads_backward(d_y, saved):
    """d_y (B, H, S, D) -> d_x (B, S, C), gradients like params."""
    saved_linear, saved_split = saved
    # (2) split into heads
    d_projected = split_heads_backward(d_y, saved_split)
    # (1) project
    d_x, grads = linear_backward(d_projected, saved_linear)
    return d_x, grads


def cross_attention(x, memory, params, heads, mask=None,
                    dropout_masks=None, past=None):
    """x (B, T, C), memory (B, S, C) -> y (B, T, C). mask, broadcast to
    (B, H, T, S), hides keys: the memory's padding. Nothing is causal.

    past: the memory's {"keys", "values"} (B, H, S, D), computed before:
    they are the same for each token that is written. The memory itself
    is not read then."""
    dropout_masks = dropout_masks or {}
    # (1) queries
    q, saved_q = project_heads(x, params["q"], heads)
    # (2) keys and values of the memory
    if past is None:
        k, saved_k = project_heads(memory, params["k"], heads)
        v, saved_v = project_heads(memory, params["v"], heads)
    else:  # no backward pass follows
        k, v, saved_k, saved_v = past["keys"], past["values"], (), ()
    # (3) attention
    attended, saved_attention = attention(
        q, k, v, mask, False,
        dropout_masks.get("cross_attention"))         # (B, H, T, D)
    # (4) merge the heads
    merged, saved_merge = merge_heads(attended)       # (B, T, C)
    # (5) output projection
    mixed, saved_out = linear(merged, **params["out"])       # (B, T, C)
    # (6) dropout
    y, saved_dropout = dropout(
        mixed, dropout_masks.get("cross_attention_out"))     # (B, T, C)
    return y, (saved_q, saved_k, saved_v, saved_attention, saved_merge,
               saved_out, saved_dropout)


def cross_attention_backward(d_y, saved):
    """d_y (B, T, C) -> d_x (B, T, C), d_memory (B, S, C), gradients
    shaped like params."""
    (saved_q, saved_k, saved_v, saved_attention, saved_merge,
     saved_out, saved_dropout) = saved
    # (6) dropout
    d_mixed = dropout_backward(d_y, saved_dropout)    # (B, T, C)
    # (5) output projection
    d_merged, d_out = linear_backward(d_mixed, saved_out)    # (B, T, C)
    # (4) merge the heads
    d_attended = merge_heads_backward(d_merged, saved_merge)
    # (3) attention
    d_q, d_k, d_v = attention_backward(d_attended, saved_attention)
    # (2) keys and values of the memory: it is read by both
    d_memory_v, d_values = project_heads_backward(d_v, saved_v)
    d_memory_k, d_keys = project_heads_backward(d_k, saved_k)
    d_memory = d_memory_v + d_memory_k                # (B, S, C)
    # (1) queries
    d_x, d_queries = project_heads_backward(d_q, saved_q)    # (B, T, C)
    return d_x, d_memory, {"out": d_out, "v": d_values, "k": d_keys,
                           "q": d_queries}
