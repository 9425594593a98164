"""Softmax: scores become probabilities."""

import torch


def softmax(x):
    """x (..., S) -> probs (..., S), each row summing to 1; a row of
    -inf alone gives zeros."""
    # (1) make the largest score 0: exp cannot overflow
    top = x.amax(dim=-1, keepdim=True)                # (..., 1)
    shifted = x - torch.where(top == -torch.inf, 0, top)      # (..., S)
    # (2) exponentiate
    powers = torch.exp(shifted)                       # (..., S)
    # (3) divide by the sum
    total = powers.sum(dim=-1, keepdim=True)          # (..., 1)
    probs = powers / (total + (total == 0))           # (..., S)
    return probs, (probs,)


def softmax_backward(d_probs, saved):
    """d_probs (..., S) -> d_x (..., S)."""
    (probs,) = saved
    # (3) divide by the sum
    mean_grad = (d_probs * probs).sum(dim=-1, keepdim=True)
    d_powers = d_probs - mean_grad    # (..., S), times total
    # (2) exponentiate
    d_shifted = probs * d_powers                      # (..., S)
    # (1) make the largest score 0: a shift changes nothing
    d_x = d_shifted                                   # (..., S)
    return d_x


def softmax_reference(x):
    """PyTorch's own operator, with zeros for a row of -inf alone."""
    alone = (x == -torch.inf).all(dim=-1, keepdim=True)
    return torch.softmax(x.masked_fill(alone, 0), dim=-1) * ~alone
