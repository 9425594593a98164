"""Masks: where a query may look."""

import torch


def causal_mask(T, S, like):
    """-> visible (T, S): the last T of S tokens, each seeing itself and
    what came before. `like`: a tensor; the mask is made where it lives."""
    ones = torch.ones(T, S, dtype=torch.bool, device=like.device)
    return ones.tril(S - T)
