"""Counted rows: logits of those positions alone whose targets count.

Where only answers are learned, most targets are ignored, and their logits
cost a row of the vocabulary's length each, forward and backward. The model
runs as it stands, with the identity in its head's place: what it gives are
then its last states, of which the head reads those that count. The same
loss and gradients as `training.loss_and_grads`, within rounding."""

from dataclasses import replace

import torch

from npgpt.families.checks import check_batch
from torchgpt.layers.cross_entropy import (
    IGNORE,
    cross_entropy,
    cross_entropy_backward,
)
from torchgpt.layers.linear import linear, linear_backward


@torch.no_grad()
def loss_and_grads(model, params, inputs, targets, config, count=None, **more):
    """As `training.loss_and_grads` takes them -> loss (), gradients like params."""
    check_batch(inputs, targets, config)
    head, headless = parts(params, config)
    # (1) the last states; the head's logits of the rows that count
    states, saved = model.forward(*headless(inputs), **more)          # (B, T, C)
    counted = targets != IGNORE                                       # (B, T)
    logits, saved_head = linear(states[counted], **head)              # (R, V)
    loss, saved_loss = cross_entropy(logits, targets[counted], count)
    # (2) the way back; a row that does not count has no gradient
    d_logits = cross_entropy_backward(1.0, saved_loss)                # (R, V)
    d_rows, d_head = linear_backward(d_logits, saved_head)            # (R, C)
    d_states = torch.zeros_like(states)                               # (B, T, C)
    d_states[counted] = d_rows
    grads = model.backward(d_states, saved)
    # (3) the head's gradient, in the identity's place
    del grads["head"]
    if not getattr(config, "tied", False):
        grads["head"] = d_head
    elif d_head:
        tokens = grads["tokens"]
        tokens["weight"] = tokens["weight"] + d_head["weight"].T
    return loss, grads


@torch.no_grad()
def mean_loss(model, params, inputs, targets, config, count=None, **more):
    """As `training.loss.mean_loss` takes them -> loss ()."""
    check_batch(inputs, targets, config)
    head, headless = parts(params, config)
    states, _ = model.forward(*headless(inputs), **more)              # (B, T, C)
    counted = targets != IGNORE                                       # (B, T)
    logits, _ = linear(states[counted], **head)                       # (R, V)
    loss, _ = cross_entropy(logits, targets[counted], count)
    return loss


def parts(params, config):
    """-> the head; headless(ids), what `model.forward` takes to give the last states."""
    head, tied = params.get("head"), getattr(config, "tied", False)
    if tied:
        head = {**params["tokens"], "weight": params["tokens"]["weight"].T}
    weight = head["weight"]                                           # (C, V)
    identity = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
    untied = replace(config, tied=False) if tied else config
    return head, lambda ids: (
        {**params, "head": {"weight": identity, "trainable": False}}, ids, untied)
