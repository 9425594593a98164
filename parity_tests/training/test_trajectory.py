"""Fifty steps of training in float64, three ways: one trajectory."""

import math

import numpy as np
import torch

import npgpt.training as by_numpy
import torchgpt.models
import torchgpt.training as by_torch
from npgpt.models import gpt2
from npgpt.training import init
from npgpt.training.batches import draw_batch, micro_batches
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.training.schedule import warmup_cosine
from npgpt.tree import tree_map
from parity_tests.trees import side_by_side
from torchgpt import GPT, to_numpy, to_torch

STEPS, PARTS, LIMIT, DECAY, SEED = 50, 2, 0.5, 0.1, 5
CONFIG = gpt2.Config(vocab_size=11, context_length=8, layers=2, heads=2, channels=8)
CLOSE = 1e-9


def test_numpy_torch_by_hand_and_autograd_walk_together():
    """Dropout from one stream, two micro-batches a step, a clip that bites,
    warm-up and cosine."""
    text = (np.arange(200) * 7 % 11 + np.arange(200) // 5 % 3) % 11
    params = init(gpt2, CONFIG, SEED, np.float64)
    hand = to_torch(params)
    module = GPT.from_params(to_torch(params), CONFIG)
    optimizer = by_torch.adamw_reference(
        list(module.parameters()), lr=1e-2, weight_decay=DECAY)
    state, hand_state = by_numpy.adamw_init(params), by_torch.adamw_init(hand)
    clipped, first = 0, None
    for step in range(STEPS):
        rate = warmup_cosine(step, 1e-2, 10, STEPS, 1e-3)
        ids, targets = draw_batch(text, 8, 4, SEED, step)
        masks = draw_dropout_masks(gpt2, CONFIG, 4, 8, 0.1, SEED, step, np.float64)
        batch = {"inputs": ids, "targets": targets, "dropout_masks": masks}
        count = targets.size
        module.zero_grad()
        losses, grads, hand_grads = [0.0, 0.0, 0.0], None, None
        for part in micro_batches(batch, PARTS):
            loss, more = by_numpy.loss_and_grads(
                gpt2, params, config=CONFIG, count=count, **part)
            grads = added(grads, more)
            part = to_torch(part)
            hand_loss, more = by_torch.loss_and_grads(
                torchgpt.models.gpt2, hand, config=CONFIG, count=count, **part)
            hand_grads = added(hand_grads, more)
            _, mean = module(part["inputs"], part["targets"], part["dropout_masks"])
            own_loss = mean * (part["targets"].numel() / count)
            own_loss.backward()
            each = loss, hand_loss, own_loss.detach()
            losses = [total + float(one) for total, one in zip(losses, each)]
        first = first or losses[0]
        assert max(losses) - min(losses) <= CLOSE * max(losses), step
        for name, a, b, c in side_by_side(
                grads, to_numpy(hand_grads), to_numpy(module.grads())):
            size = np.abs(a).max()
            assert np.abs(a - b).max() <= CLOSE * size, (step, name)
            assert np.abs(a - c).max() <= CLOSE * size, (step, name)
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
    for name, a, b, c in side_by_side(params, to_numpy(hand), to_numpy(module.to_params())):
        assert np.abs(a - b).max() <= CLOSE * np.abs(a).max(), name
        assert np.abs(a - c).max() <= CLOSE * np.abs(a).max(), name
    assert clipped, "clipping was exercised"
    assert losses[0] < first - 0.2, "and it learns"


def added(total, more):
    return more if total is None else tree_map(lambda a, b: a + b, total, more)
