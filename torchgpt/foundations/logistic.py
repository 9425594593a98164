"""Logistic regression: the probability that a message is spam, from a
weighted sum of what is in it."""

import torch


def sigmoid(z):
    """z (...) -> probs (...), 1 / (1 + exp(−z)) (Verhulst, 1845)."""
    # (1) a power that cannot overflow
    tail = torch.exp(-z.abs())                         # (...), 0 to 1
    # (2) one side is tail / (1 + tail), the other 1 less that
    return torch.where(z < 0, tail, 1) / (1 + tail)   # (...)


def logistic(x, weight, bias, labels, decay=0.0):
    """x (M, I), weight (I,), bias (), labels (M,) of 0 or 1 -> loss (),
    the mean cross-entropy, plus decay/2 · ‖weight‖² (Cox, 1958)."""
    # (1) a score for each row
    z = x @ weight + bias                             # (M,)
    # (2) its loss, from the score itself: no log of a 0
    size = torch.where(z < 0, -z, z)                  # (M,)
    tail = torch.log1p(torch.exp(-size))              # (M,)
    losses = z.clamp(min=0) - z * labels + tail       # (M,)
    # (3) the mean, and what large weights cost
    cost = decay / 2 * (weight * weight).sum()        # ()
    loss = losses.mean() + cost                       # ()
    return loss, (x, weight, z, labels, decay)


def logistic_backward(d_loss, saved):
    """d_loss () -> d_x (M, I), {"weight": (I,), "bias": ()}"""
    x, weight, z, labels, decay = saved
    # (3) the mean, and what large weights cost
    d_losses = d_loss / len(z)                        # ()
    d_weight = d_loss * decay * weight                # (I,)
    # (2) its loss: the probability, less the label
    d_z = (sigmoid(z) - labels) * d_losses            # (M,)
    # (1) a score for each row
    d_weight = d_weight + x.T @ d_z                   # (I,)
    d_bias = d_z.sum()                                # ()
    d_x = d_z[:, None] * weight                       # (M, I)
    return d_x, {"weight": d_weight, "bias": d_bias}


def fit_logistic(x, labels, decay, steps, rate=1.0):
    """Gradient descent from 0 -> weight (I,), bias (), losses, a list
    of one before each step."""
    weight = x.new_zeros(x.shape[1])                  # (I,)
    bias, losses = weight.sum(), []                   # ()
    for _ in range(steps):
        # (1) how wrong it is, and which way is uphill
        loss, saved = logistic(x, weight, bias, labels, decay)
        _, grads = logistic_backward(1.0, saved)
        losses.append(float(loss))
        # (2) a step downhill
        weight = weight - rate * grads["weight"]      # (I,)
        bias = bias - rate * grads["bias"]            # ()
    return weight, bias, losses


def logistic_reference(x, weight, bias, labels, decay=0.0):
    """PyTorch's own loss, and the cost of large weights."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    return entropy(x @ weight + bias, labels) + (
        decay / 2 * weight.dot(weight))
