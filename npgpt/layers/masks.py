"""Masks: which keys a query may attend to."""

import numpy as np


def causal_mask(T, S, like):
    """-> mask (T, S): the last T of S tokens, each attending to itself
    and to what came before. `like`: an array; made where it lives."""
    return np.tri(T, S, S - T, dtype=bool)


def padding_mask(pads, S, like):
    """pads: how many of a row's S tokens are padding, on its left ->
    mask (B, 1, 1, S): no query attends to padding."""
    # (1) find what is no padding
    mask = np.arange(S) >= np.array(pads)[:, None]    # (B, S)
    # (2) the same for each head and query
    return mask[:, None, None]                        # (B, 1, 1, S)


def padded_positions(pads, T, S, like):
    """-> positions (B, T) of the last T of a row's S tokens, counted
    from its first token that is no padding; padding gets 0."""
    # (1) count from the first real token
    positions = np.arange(S - T, S) - np.array(pads)[:, None]
    # (2) none lies before it
    return np.maximum(positions, 0)                   # (B, T)
