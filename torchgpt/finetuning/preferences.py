"""DPO: of two answers the chosen one becomes likelier than the rejected
one, measured against where the model began (Rafailov et al., 2023,
equation 7)."""

import torch


def dpo(log_probs, reference, beta=0.1, count=None):
    """log_probs (B, 2, T): of the chosen and the rejected answer's
    tokens, 0 elsewhere; reference (B, 2): the sums under the model at
    the start -> loss (), the mean over pairs, in nats.

    beta: how strongly a distance from the start counts. count: divide
    by this instead of the number of pairs."""
    beta = float(beta)
    # (1) how likely each answer is as a whole
    sums = log_probs.sum(dim=-1)                      # (B, 2)
    # (2) how much likelier than at the start
    gains = sums - reference                          # (B, 2)
    # (3) by how much the chosen one has gained more
    margins = beta * (gains[:, 0] - gains[:, 1])      # (B,)
    # (4) minus the log of the sigmoid
    top = (-margins).clamp(min=0)                     # (B,)
    powers = torch.exp(-margins - top)                # (B,)
    losses = top + torch.log(torch.exp(-top) + powers)       # (B,)
    wrong = powers / (torch.exp(-top) + powers)       # (B,)
    # (5) average over the pairs
    count = len(log_probs) if count is None else count
    loss = losses.sum() / count                       # ()
    return loss, (wrong, beta, count, log_probs.shape[-1])


def dpo_backward(d_loss, saved):
    """d_loss () -> d_log_probs (B, 2, T)."""
    wrong, beta, count, T = saved
    # (5) average over the pairs
    d_losses = torch.ones_like(wrong) * (d_loss / count)     # (B,)
    # (4) minus the log of the sigmoid
    d_margins = -wrong * d_losses                     # (B,)
    # (3) by how much the chosen one has gained more
    d_chosen = beta * d_margins                       # (B,)
    d_gains = torch.stack([d_chosen, -d_chosen], dim=-1)     # (B, 2)
    # (2) how much likelier than at the start: the start is fixed
    d_sums = d_gains                                  # (B, 2)
    # (1) how likely each answer is as a whole
    d_log_probs = d_sums[..., None].repeat(1, 1, T)   # (B, 2, T)
    return d_log_probs


def dpo_reference(log_probs, reference, beta=0.1, count=None):
    """PyTorch's own log-sigmoid."""
    gains = log_probs.sum(dim=-1) - reference
    margins = float(beta) * (gains[:, 0] - gains[:, 1])
    losses = -torch.nn.functional.logsigmoid(margins)
    return losses.sum() / (len(log_probs) if count is None else count)
