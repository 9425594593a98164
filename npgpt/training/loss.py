"""The loss alone: one forward pass, for validation."""

from npgpt.families.checks import check_batch
from npgpt.layers.cross_entropy import cross_entropy


def mean_loss(model, params, inputs, targets, config, mask=None,
              positions=None, count=None):
    """inputs and targets (B, T) -> loss (), as of `loss_and_grads`."""
    check_batch(inputs, targets, config)
    logits, _ = model.forward(
        params, inputs, config, mask=mask, positions=positions)
    loss, _ = cross_entropy(logits, targets, count)
    return loss
