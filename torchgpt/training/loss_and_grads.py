"""Loss and gradients: one forward and one backward pass."""

import torch

from npgpt.families.checks import check_batch
from torchgpt.layers.cross_entropy import (
    cross_entropy,
    cross_entropy_backward,
)


@torch.no_grad()
def loss_and_grads(model, params, inputs, targets, config, mask=None,
                   positions=None, dropout_masks=None, count=None):
    """inputs and targets (B, T) -> loss (), gradients like params.

    Targets of -100 are ignored. count: the divisor, by default the
    number of the others. The rest is what `model.forward` takes."""
    check_batch(inputs, targets, config)
    logits, saved = model.forward(
        params, inputs, config, mask=mask, positions=positions,
        dropout_masks=dropout_masks)                  # (B, T, V)
    loss, saved_loss = cross_entropy(logits, targets, count)
    d_logits = cross_entropy_backward(1.0, saved_loss)  # (B, T, V)
    grads = model.backward(d_logits, saved)
    return loss, grads
