"""Cross-entropy: how surprised the model is by the right token, in
nats."""

import torch

from npgpt.families.checks import check_below

IGNORE = -100


def cross_entropy(logits, targets, count=None):
    """logits (..., V), targets (...) -> loss (), the mean over targets
    that are not -100. count: divide by this instead of their number.
    Raises InputError for targets outside the vocabulary, if they are
    not on a GPU."""
    check_below("targets", targets, logits.shape[-1], IGNORE)
    # (1) make the largest logit 0: exp cannot overflow
    shifted = logits - logits.amax(dim=-1, keepdim=True)      # (..., V)
    # (2) turn logits into probabilities
    powers = torch.exp(shifted)                       # (..., V)
    total = powers.sum(dim=-1, keepdim=True)          # (..., 1)
    probs = powers / total                            # (..., V)
    # (3) take minus the log of the right one's
    counted = targets != IGNORE                       # (...)
    right = torch.where(counted, targets, 0)[..., None]       # (..., 1)
    score = torch.take_along_dim(shifted, right, dim=-1)      # (..., 1)
    losses = (torch.log(total) - score)[..., 0]       # (...)
    # (4) average over those that count
    if count is None:
        count = max(int(counted.sum()), 1)
    loss = torch.where(counted, losses, 0).sum() / count      # ()
    return loss, (probs, right, counted, count)


def cross_entropy_backward(d_loss, saved):
    """d_loss () -> d_logits (..., V)."""
    probs, right, counted, count = saved
    # (4) average over those that count
    d_losses = counted.to(probs.dtype) * (d_loss / count)  # (...)
    # (3, 2, 1) the probabilities, less 1 for the right one
    ids = torch.arange(probs.shape[-1], device=probs.device)
    one_hot = ids == right                            # (..., V)
    d_logits = probs - one_hot.to(probs.dtype)        # (..., V)
    d_logits *= d_losses[..., None]                   # (..., V)
    return d_logits


def cross_entropy_reference(logits, targets, count=None):
    """PyTorch's own operator, its sum divided by the same count."""
    V = logits.shape[-1]
    if count is None:
        count = max(int((targets != IGNORE).sum()), 1)
    return torch.nn.functional.cross_entropy(
        logits.reshape(-1, V), targets.reshape(-1),
        ignore_index=IGNORE, reduction="sum") / count
