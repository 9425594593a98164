"""Loss and gradients: one forward and one backward pass."""

import torch

from npgpt.families.checks import check_targets
from torchgpt.layers.cross_entropy import (
    cross_entropy,
    cross_entropy_backward,
)
from torchgpt.models.gpt2 import gpt, gpt_backward


@torch.no_grad()
def loss_and_grads(params, ids, targets, config, visible=None,
                   keep=None, count=None):
    """ids and targets (B, T), -100 ignored -> loss (), gradients shaped
    like params. count: the divisor, by default the number of valid
    targets."""
    check_targets(targets, ids, config)
    logits, saved = gpt(params, ids, config, visible, keep)
    loss, saved_loss = cross_entropy(logits, targets, count)
    d_logits = cross_entropy_backward(1.0, saved_loss)        # (B, T, V)
    return loss, gpt_backward(d_logits, saved)
