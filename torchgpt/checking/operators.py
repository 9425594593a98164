"""A layer's pair, made of PyTorch's operator and its gradient."""

import inspect
from functools import partial

import torch

CONSTANTS = ("dropout_mask", "cos", "sin")      # floats without a gradient
FROZEN = {"lora": ("weight",)}                  # and one's own
PARAMETERS = ("weight", "bias", "A", "B")


def by_autograd(name, reference):
    """-> forward, backward with the contract of the hand-written ones."""
    signature = inspect.signature(reference)
    return (partial(call, stands_for=name, reference=reference, signature=signature),
            partial(call_backward, stands_for=f"{name}_backward"))


def call(*args, stands_for, reference, signature, **options):
    arguments = signature.bind(*args, **options).arguments
    followed, constants = {}, (*CONSTANTS, *FROZEN.get(stands_for, ()))
    for name, value in arguments.items():
        if torch.is_tensor(value) and value.is_floating_point() and name not in constants:
            followed[name] = value.detach().requires_grad_()
    with torch.enable_grad():
        y = reference(**{**arguments, **followed})
    return y.detach(), (y, followed)


def call_backward(d_y, saved, stands_for):
    y, followed = saved
    d_y = torch.stack(list(d_y)) if isinstance(d_y, (tuple, list)) else d_y
    d_y = torch.as_tensor(d_y, dtype=y.dtype, device=y.device)
    grads = dict(zip(followed, torch.autograd.grad(y, list(followed.values()), d_y)))
    weights = {name: grads.pop(name) for name in PARAMETERS if name in grads}
    parts = [*grads.values(), *([weights] if weights else [])]
    return parts[0] if len(parts) == 1 else tuple(parts)
