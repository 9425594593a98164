"""Log-probabilities: how likely the model finds an answer's tokens."""

import numpy as np

from npgpt.families.checks import check_below
from npgpt.layers.cross_entropy import IGNORE


def target_log_probs(logits, targets):
    """logits (..., V), targets (...) -> log_probs (...), in nats; 0
    where the target is -100. Raises InputError for targets outside the
    vocabulary."""
    check_below("targets", targets, logits.shape[-1], IGNORE)
    # (1) make the largest logit 0: exp cannot overflow
    shifted = logits - logits.max(axis=-1, keepdims=True)     # (..., V)
    # (2) turn logits into probabilities
    powers = np.exp(shifted)                          # (..., V)
    total = powers.sum(axis=-1, keepdims=True)        # (..., 1)
    probs = powers / total                            # (..., V)
    # (3) take the log of the target's
    counted = targets != IGNORE                       # (...)
    right = np.where(counted, targets, 0)[..., None]  # (..., 1)
    score = np.take_along_axis(shifted, right, axis=-1)       # (..., 1)
    found = (score - np.log(total))[..., 0]           # (...)
    # (4) leave out those that do not count
    log_probs = np.where(counted, found, 0)           # (...)
    return log_probs, (probs, right, counted)


def target_log_probs_backward(d_log_probs, saved):
    """d_log_probs (...) -> d_logits (..., V)."""
    probs, right, counted = saved
    # (4) leave out those that do not count
    d_found = np.where(counted, d_log_probs, 0)       # (...)
    # (3, 2, 1) 1 for the target, less the probabilities
    one_hot = np.arange(probs.shape[-1]) == right     # (..., V)
    d_logits = one_hot.astype(probs.dtype) - probs    # (..., V)
    d_logits *= d_found[..., None]                    # (..., V)
    return d_logits
