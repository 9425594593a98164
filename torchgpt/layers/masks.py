"""Masks: where a query may look."""

import torch


def causal_mask(T, S, like):
    """-> visible (T, S): the last T of S tokens, each seeing itself and
    what came before. `like`: a tensor; made where it lives."""
    ones = torch.ones(T, S, dtype=torch.bool, device=like.device)
    return ones.tril(S - T)


def padded_mask(pads, T, S, like):
    """pads: how many of a row's S tokens are padding, on its left ->
    visible (B, 1, T, S): `causal_mask`, and no padding seen."""
    # (1) find what is real
    columns = torch.arange(S, device=like.device)     # (S,)
    starts = torch.tensor(pads, device=like.device)   # (B,)
    real = columns >= starts[:, None]                 # (B, S)
    # (2) hide the rest from each query
    causal = causal_mask(T, S, like)                  # (T, S)
    return causal & real[:, None, None]               # (B, 1, T, S)


def places_seen(visible):
    """visible (B, 1, T, S) -> places (B, T): a token's place is the
    number of tokens that it sees, less one; padding, which sees none,
    gets 0."""
    seen = visible[:, 0].sum(dim=-1)                  # (B, T)
    return torch.clamp(seen - 1, min=0)               # (B, T)
