"""Recurrence: one state, carried from token to token (Elman, 1990)."""

import numpy as np


def recurrence(x, weight, state=None, begins=None, truncate=None,
               trainable=True):
    """x (B, T, C), weight (C, C) -> states (B, T, C).

    state (B, C): the one before the first token; None: zeros. What
    comes next goes on from states[:, -1]. begins (B, T): True where a
    text begins, with zeros before it. truncate: backward, the gradient
    is cut before every so many tokens; None: nowhere (Werbos, 1990)."""
    # (1) the state before the first token
    B, T, C = x.shape
    if state is None:
        state = np.zeros((B, C), x.dtype)             # (B, C)
    states, before = np.zeros_like(x), np.zeros_like(x)
    for t in range(T):
        # (2) go on from the last state; where a text begins, from zeros
        if begins is not None:
            state = np.where(begins[:, t, None], 0, state)
        before[:, t] = state                          # (B, C)
        # (3) add what the state tells to what the token brings
        mixed = x[:, t] + state @ weight              # (B, C)
        # (4) squash it between -1 and 1
        state = np.tanh(mixed)                        # (B, C)
        states[:, t] = state                          # (B, C)
    return states, (states, before, begins, weight, truncate, trainable)


def recurrence_backward(d_states, saved):
    """d_states (B, T, C) -> d_x (B, T, C), d_state (B, C),
    {"weight": (C, C)}."""
    states, before, begins, weight, truncate, trainable = saved
    B, T, C = states.shape
    d_x = np.zeros_like(d_states)                     # (B, T, C)
    d_weight = np.zeros_like(weight)                  # (C, C)
    d_state = np.zeros((B, C), d_states.dtype)        # (B, C)
    for t in reversed(range(T)):
        # (4) squash it: the slope of tanh is 1 - tanh²
        d_after = d_states[:, t] + d_state            # (B, C)
        d_mixed = d_after * (1 - states[:, t] ** 2)   # (B, C)
        # (3) add: one weight for all tokens, its gradients add up
        d_x[:, t] = d_mixed                           # (B, C)
        if trainable:
            d_weight += before[:, t].T @ d_mixed      # (C, C)
        d_state = d_mixed @ weight.T                  # (B, C)
        # (2) go back to the last state, unless the gradient is cut
        if truncate is not None and t > 0 and t % truncate == 0:
            d_state = np.zeros_like(d_state)          # (B, C)
        if begins is not None:
            d_state = np.where(begins[:, t, None], 0, d_state)
    # (1) the state before the first token
    return d_x, d_state, {"weight": d_weight} if trainable else {}
