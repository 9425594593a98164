"""Cross-entropy: how surprised the model is by the right token, in
nats."""

import numpy as np

from npgpt.families.checks import check_below

IGNORE = -100


def cross_entropy(logits, targets, count=None):
    """logits (..., V), targets (...) -> loss (), the mean over targets
    that are not -100. count: divide by this instead of their number.
    Raises InputError for targets outside the vocabulary."""
    check_below("targets", targets, logits.shape[-1], IGNORE)
    # (1) make the largest logit 0: exp cannot overflow
    shifted = logits - logits.max(axis=-1, keepdims=True)     # (..., V)
    # (2) turn logits into probabilities
    powers = np.exp(shifted)                          # (..., V)
    total = powers.sum(axis=-1, keepdims=True)        # (..., 1)
    probs = powers / total                            # (..., V)
    # (3) take minus the log of the right one's
    counted = targets != IGNORE                       # (...)
    right = np.where(counted, targets, 0)[..., None]  # (..., 1)
    score = np.take_along_axis(shifted, right, axis=-1)       # (..., 1)
    losses = (np.log(total) - score)[..., 0]          # (...)
    # (4) average over those that count
    if count is None:
        count = max(int(counted.sum()), 1)
    loss = np.where(counted, losses, 0).sum() / count         # ()
    return loss, (probs, right, counted, count)


def cross_entropy_backward(d_loss, saved):
    """d_loss () -> d_logits (..., V)."""
    probs, right, counted, count = saved
    # (4) average over those that count
    d_losses = counted.astype(probs.dtype) * (d_loss / count)  # (...)
    # (3, 2, 1) the probabilities, less 1 for the right one
    one_hot = np.arange(probs.shape[-1]) == right     # (..., V)
    d_logits = probs - one_hot.astype(probs.dtype)    # (..., V)
    d_logits *= d_losses[..., None]                   # (..., V)
    return d_logits
