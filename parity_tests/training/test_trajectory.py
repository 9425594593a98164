"""Fifty steps of training in float64, three ways: one trajectory."""

import math

import numpy as np
import torch

import npgpt.training as by_numpy
import torchgpt.training as by_torch
from npgpt.families.gpt2 import Config
from npgpt.training import init_gpt
from npgpt.training.batches import draw_batch, micro_batches
from npgpt.training.dropout_masks import draw_keep, micro_keep
from npgpt.training.schedule import warmup_cosine
from npgpt.tree import leaves, rebuild
from torchgpt import GPT, to_torch

STEPS, PARTS, LIMIT, DECAY, SEED = 50, 2, 0.5, 0.1, 5
CONFIG = Config(vocab_size=11, context_length=8, layers=2, heads=2, channels=8)
CLOSE = 1e-9


def test_numpy_torch_by_hand_and_autograd_walk_together():
    """Dropout from one stream, two micro-batches a step, a clip that bites,
    warm-up and cosine."""
    text = (np.arange(200) * 7 % 11 + np.arange(200) // 5 % 3) % 11
    params = init_gpt(CONFIG, SEED, np.float64)
    hand = to_torch(params)
    module = GPT.from_params(to_torch(params), CONFIG)
    optimizer = by_torch.adamw_reference(
        list(module.parameters()), lr=1e-2, weight_decay=DECAY)
    state, hand_state = by_numpy.adamw_init(params), by_torch.adamw_init(hand)
    clipped, first = 0, None
    for step in range(STEPS):
        rate = warmup_cosine(step, 1e-2, 10, STEPS, 1e-3)
        ids, targets = draw_batch(text, 8, 4, SEED, step)
        keep = draw_keep(CONFIG, 4, 8, 0.1, SEED, step, np.float64)
        count = targets.size
        module.zero_grad()
        losses, grads, hand_grads = [0.0, 0.0, 0.0], None, None
        for part, (x, y) in enumerate(micro_batches(ids, targets, PARTS)):
            masks = micro_keep(keep, part, PARTS)
            loss, more = by_numpy.loss_and_grads(params, x, y, CONFIG, keep=masks, count=count)
            grads = added(grads, more)
            x, y, masks = torch.from_numpy(x), torch.from_numpy(y), to_torch(masks)
            hand_loss, more = by_torch.loss_and_grads(hand, x, y, CONFIG, keep=masks, count=count)
            hand_grads = added(hand_grads, more)
            _, mean = module(x, y, masks)
            own_loss = mean * (y.numel() / count)
            own_loss.backward()
            each = loss, hand_loss, own_loss.detach()
            losses = [total + float(one) for total, one in zip(losses, each)]
        first = first or losses[0]
        assert max(losses) - min(losses) <= CLOSE * max(losses), step
        for (name, a), (_, b), (_, c) in zip(
                leaves(grads), leaves(hand_grads), leaves(module.grads())):
            size = np.abs(a).max()
            assert np.abs(a - b.numpy()).max() <= CLOSE * size, (step, name)
            assert np.abs(a - c.numpy()).max() <= CLOSE * size, (step, name)
        grads, norm = by_numpy.clip_by_global_norm(grads, LIMIT)
        hand_grads, hand_norm = by_torch.clip_by_global_norm(hand_grads, LIMIT)
        own_norm = torch.nn.utils.get_total_norm([w.grad for w in module.parameters()]).item()
        assert math.isclose(norm, hand_norm, rel_tol=CLOSE)
        assert math.isclose(norm, own_norm, rel_tol=CLOSE)
        clipped += norm > LIMIT
        for weight in module.parameters():
            weight.grad *= min(1.0, LIMIT / own_norm)
        for group in optimizer.param_groups:
            group["lr"] = rate
        by_numpy.adamw_step(params, grads, state, lr=rate, weight_decay=DECAY)
        by_torch.adamw_step(hand, hand_grads, hand_state, lr=rate, weight_decay=DECAY)
        optimizer.step()
    for (name, a), (_, b), (_, c) in zip(leaves(params), leaves(hand), leaves(module.to_params())):
        assert np.abs(a - b.numpy()).max() <= CLOSE * np.abs(a).max(), name
        assert np.abs(a - c.numpy()).max() <= CLOSE * np.abs(a).max(), name
    assert clipped, "clipping was exercised"
    assert losses[0] < first - 0.2, "and it learns"


def added(total, more):
    if total is None:
        return more
    other = dict(leaves(more))
    return rebuild(total, lambda name, grad: grad + other[name])
