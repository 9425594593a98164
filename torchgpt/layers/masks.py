"""Masks: which keys a query may attend to."""

import torch


def causal_mask(T, S, like):
    """-> mask (T, S): the last T of S tokens, each attending to itself
    and to what came before. `like`: a tensor; made where it lives."""
    ones = torch.ones(T, S, dtype=torch.bool, device=like.device)
    return ones.tril(S - T)


def padding_mask(pads, S, like):
    """pads: how many of a row's S tokens are padding, on its left ->
    mask (B, 1, 1, S): no query attends to padding."""
    # (1) find what is no padding
    pads = torch.tensor(pads, device=like.device)     # (B,)
    columns = torch.arange(S, device=like.device)     # (S,)
    mask = columns >= pads[:, None]                   # (B, S)
    # (2) the same for each head and query
    return mask[:, None, None]                        # (B, 1, 1, S)


def padded_positions(pads, T, S, like):
    """-> positions (B, T) of the last T of a row's S tokens, counted
    from its first token that is no padding; padding gets 0."""
    # (1) count from the first real token
    pads = torch.tensor(pads, device=like.device)     # (B,)
    columns = torch.arange(S - T, S, device=like.device)      # (T,)
    positions = columns - pads[:, None]               # (B, T)
    # (2) none lies before it
    return torch.clamp(positions, min=0)              # (B, T)
