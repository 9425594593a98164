"""Attention: each query looks at the keys and mixes their values
(Vaswani et al., 2017, section 3.2.1)."""

import math

import torch

from torchgpt.layers.masks import causal_mask
from torchgpt.layers.softmax import softmax, softmax_backward


def attention(q, k, v, mask=None, causal=False, dropout_mask=None):
    """q (B, H, T, D), k and v (B, H, S, D) -> y (B, H, T, D).

    mask: True where a query may attend, broadcast to (B, H, T, S).
    causal: hide later keys as well; the last query sees all S keys.
    A query that may attend to nothing gets zeros."""
    # (1) compare each query with each key
    scores = q @ k.mT                   # (B, H, T, S)
    # (2) divide by the square root of the head size
    scores = scores / math.sqrt(q.shape[-1])          # (B, H, T, S)
    # (3) hide the keys that a query may not see
    if causal:
        past = causal_mask(q.shape[2], k.shape[2], q)         # (T, S)
        mask = past if mask is None else mask & past
    if mask is not None:
        scores = torch.where(mask, scores, -torch.inf)# (B, H, T, S)
    # (4) turn scores into probabilities
    probs, _ = softmax(scores)                        # (B, H, T, S)
    # (5) dropout
    weights = probs
    if dropout_mask is not None:
        weights = probs * dropout_mask                # (B, H, T, S)
    # (6) mix the values
    y = weights @ v                                   # (B, H, T, D)
    return y, (q, k, v, probs, dropout_mask, weights)


def attention_backward(d_y, saved):
    """d_y (B, H, T, D) -> d_q like it, d_k and d_v (B, H, S, D)."""
    q, k, v, probs, dropout_mask, weights = saved
    # (6) mix the values
    d_weights = d_y @ v.mT              # (B, H, T, S)
    d_v = weights.mT @ d_y              # (B, H, S, D)
    # (5) dropout
    d_probs = d_weights
    if dropout_mask is not None:
        d_probs = d_weights * dropout_mask            # (B, H, T, S)
    # (4) turn scores into probabilities
    d_scores = softmax_backward(d_probs, (probs,))    # (B, H, T, S)
    # (3) hide the keys that a query may not see
    #     their probs are 0, and so step (4) has left d_scores 0 there
    # (2) divide by the square root of the head size
    d_scores = d_scores / math.sqrt(q.shape[-1])      # (B, H, T, S)
    # (1) compare each query with each key
    d_q = d_scores @ k                                # (B, H, T, D)
    d_k = d_scores.mT @ q                             # (B, H, S, D)
    return d_q, d_k, d_v


def attention_reference(q, k, v, mask=None, causal=False,
                        dropout_mask=None):
    """PyTorch's own operator; with a dropout mask, or a query that may
    attend to nothing, its parts: the operator cannot answer those."""
    if causal:
        T, S = q.shape[2], k.shape[2]
        past = torch.ones(T, S, dtype=torch.bool, device=q.device)
        past = past.tril(S - T)
        mask = past if mask is None else mask & past
    if dropout_mask is None and (
            mask is None or mask.any(dim=-1).all()):
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask)
    scores = torch.einsum("...td,...sd->...ts", q, k)
    scores = scores / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(q.dtype).min)
    probs = torch.softmax(scores, dim=-1)
    if mask is not None:
        probs = probs * mask
    if dropout_mask is not None:
        probs = probs * dropout_mask
    return torch.einsum("...ts,...sd->...td", probs, v)
