"""What the modules share: weights in and out, nested as our params are, and
dropout and loss as training wants them."""

import torch
from torch import nn
from torch.nn import functional as F

from npgpt.tree import nest, tree_leaves
from torchgpt.layers.cross_entropy import IGNORE


@torch.no_grad()
def copy_params(model, params):
    """Take over the weights of nested params. A Linear stores its weight as
    (outputs, inputs), so those are transposed."""
    for name, theirs in tree_leaves(params):
        module, own = find(model, name)
        own.copy_(theirs.T if is_transposed(module, own) else theirs)


def as_params(model, pick):
    """-> pick(weight) of each weight, copies, nested like params."""
    return nest([(name, as_ours(model, name, pick))
                 for name, _ in model.named_parameters()])


def as_ours(model, name, pick):
    """-> pick(weight) of the weight of this name, a copy as ours lies."""
    module, weight = find(model, name)
    value = pick(weight)
    value = value.T if is_transposed(module, weight) else value
    return value.clone(memory_format=torch.contiguous_format)


def find(model, name):
    """"blocks.0.norm.weight" -> the module blocks.0.norm, its weight."""
    path, _, own = name.rpartition(".")
    module = model.get_submodule(path)
    return module, getattr(module, own)


def is_transposed(module, weight):
    return isinstance(module, nn.Linear) and weight.ndim == 2


def drop(x, mask, module):
    """Dropout with the given mask; without one, with one of torch's own."""
    if mask is not None:
        return x * mask
    return F.dropout(x, module.dropout, module.training)


def loss_of(logits, targets, reduction):
    """The targets' mean loss, or their sum, 0 where all are ignored."""
    total = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE,
        reduction="sum")
    if reduction == "sum":
        return total
    return total / (targets != IGNORE).sum().clamp(min=1)
