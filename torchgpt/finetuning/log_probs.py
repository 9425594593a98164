"""Log-probabilities: how likely the model finds an answer's tokens."""

import torch

from npgpt.families.checks import check_below
from torchgpt.layers.cross_entropy import IGNORE


def target_log_probs(logits, targets):
    """logits (..., V), targets (...) -> log_probs (...), in nats; 0
    where the target is -100. Raises InputError for targets outside the
    vocabulary, if they are not on a GPU."""
    check_below("targets", targets, logits.shape[-1], IGNORE)
    # (1) make the largest logit 0: exp cannot overflow
    shifted = logits - logits.amax(dim=-1, keepdim=True)      # (..., V)
    # (2) turn logits into probabilities
    powers = torch.exp(shifted)                       # (..., V)
    total = powers.sum(dim=-1, keepdim=True)          # (..., 1)
    probs = powers / total                            # (..., V)
    # (3) take the log of the target's
    counted = targets != IGNORE                       # (...)
    right = torch.where(counted, targets, 0)[..., None]       # (..., 1)
    score = torch.take_along_dim(shifted, right, dim=-1)      # (..., 1)
    found = (score - torch.log(total))[..., 0]        # (...)
    # (4) leave out those that do not count
    log_probs = torch.where(counted, found, 0)        # (...)
    return log_probs, (probs, right, counted)


def target_log_probs_backward(d_log_probs, saved):
    """d_log_probs (...) -> d_logits (..., V)."""
    probs, right, counted = saved
    # (4) leave out those that do not count
    d_found = torch.where(counted, d_log_probs, 0)    # (...)
    # (3, 2, 1) 1 for the target, less the probabilities
    ids = torch.arange(probs.shape[-1], device=probs.device)
    one_hot = ids == right                            # (..., V)
    d_logits = one_hot.to(probs.dtype) - probs        # (..., V)
    d_logits *= d_found[..., None]                    # (..., V)
    return d_logits


def target_log_probs_reference(logits, targets):
    """PyTorch's own operators."""
    counted = targets != IGNORE
    right = torch.where(counted, targets, 0)[..., None]
    found = torch.log_softmax(logits, dim=-1).gather(-1, right)[..., 0]
    return torch.where(counted, found, 0)
