"""Loss and gradients: one forward and one backward pass."""

from npgpt.layers.cross_entropy import cross_entropy, cross_entropy_backward
from npgpt.models.gpt2 import gpt, gpt_backward


def loss_and_grads_of_shard(params, ids, targets, config, visible=None,
                            keep=None, count=None):
    """ids and targets (B, T) -> loss (), gradients shaped like params."""
    logits, saved = gpt(params, ids, config, visible, keep)
    loss, saved_loss = cross_entropy(logits, targets, count)
    d_logits = cross_entropy_backward(1.0, saved_loss)        # (B, T, V)
    return loss, gpt_backward(d_logits, saved)
