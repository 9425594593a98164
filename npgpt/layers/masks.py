"""Masks: where a query may look."""

import numpy as np


def causal_mask(T, S, like):
    """-> visible (T, S): the last T of S tokens, each seeing itself and
    what came before. `like`: an array; the mask is made where it lives."""
    return np.tri(T, S, S - T, dtype=bool)
