"""Masks: where a query may look."""

import numpy as np


def causal_mask(T, S, like):
    """-> visible (T, S): the last T of S tokens, each seeing itself and
    what came before. `like`: an array; made where it lives."""
    return np.tri(T, S, S - T, dtype=bool)


def padded_mask(pads, T, S, like):
    """pads: how many of a row's S tokens are padding, on its left ->
    visible (B, 1, T, S): `causal_mask`, and no padding seen."""
    # (1) find what is real
    real = np.arange(S) >= np.array(pads)[:, None]    # (B, S)
    # (2) hide the rest from each query
    causal = causal_mask(T, S, like)                  # (T, S)
    return causal & real[:, None, None]               # (B, 1, T, S)


def places_seen(visible):
    """visible (B, 1, T, S) -> places (B, T): a token's place is the
    number of tokens that it sees, less one; padding, which sees none,
    gets 0."""
    seen = visible[:, 0].sum(axis=-1)                 # (B, T)
    return np.maximum(seen - 1, 0)                    # (B, T)
