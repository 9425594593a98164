"""From a hand-written pair to a function that PyTorch differentiates."""

import inspect

import torch
from torch.autograd.function import once_differentiable

from npgpt.tree import tree_leaves


def differentiable(forward, backward):
    """-> a function with forward's arguments that gives its output alone,
    and whose gradient, wherever autograd asks, is the hand-written one.

        layer_norm = differentiable(layer_norm, layer_norm_backward)
        layer_norm(x, **params).sum().backward()
    """
    signature = inspect.signature(forward)

    def call(*args, **options):
        arguments = signature.bind(*args, **options).arguments
        tensors = {name: value for name, value in tree_leaves(dict(arguments))
                   if torch.is_tensor(value) and value.is_floating_point()}
        return HandWritten.apply(
            forward, backward, arguments, list(tensors), *tensors.values())

    return call


class HandWritten(torch.autograd.Function):
    """The one adapter: autograd follows only the tensors it is handed by
    themselves, so they come a second time behind the arguments."""

    @staticmethod
    def forward(ctx, forward, backward, arguments, names, *tensors):
        y, saved = forward(**arguments)
        found = []
        ctx.saved_form = take_out(saved, found)
        ctx.save_for_backward(*found)
        ctx.pair_backward, ctx.names = backward, names
        return y

    @staticmethod
    @once_differentiable  # the pair holds no second derivatives
    def backward(ctx, d_y):
        saved = put_back(ctx.saved_form, ctx.saved_tensors)
        given = ctx.pair_backward(d_y, saved)
        given = given if isinstance(given, tuple) else (given,)
        d_inputs, d_params = [], {}
        for part in given:
            if isinstance(part, dict):
                d_params = dict(tree_leaves(part))
            else:
                d_inputs.append(part)
        rest = iter(d_inputs)
        grads = []
        for name in ctx.names:
            name = name.removeprefix("params.")
            grads.append(d_params[name] if name in d_params
                         else next(rest, None))
        return None, None, None, None, *grads


def take_out(saved, found):
    """The same tuples and lists with each tensor replaced by its place in
    `found`, where autograd can watch over it."""
    if isinstance(saved, (tuple, list)):
        return type(saved)(take_out(part, found) for part in saved)
    if torch.is_tensor(saved):
        found.append(saved)
        return Place(len(found) - 1)
    return saved


def put_back(form, tensors):
    """`take_out` undone."""
    if isinstance(form, (tuple, list)):
        return type(form)(put_back(part, tensors) for part in form)
    return tensors[form.index] if isinstance(form, Place) else form


class Place:
    """Where a tensor was."""

    def __init__(self, index):
        self.index = index
