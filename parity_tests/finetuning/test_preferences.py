"""Laws of what trains on preferences and rewards, on a whole model in both packages."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import npgpt.finetuning
import npgpt.models
import npgpt.training
import torchgpt.finetuning
import torchgpt.models
import torchgpt.training
from npgpt.finetuning import advantages, centred_rewards, target_log_probs
from npgpt.finetuning.rows import grouped
from npgpt.models import gpt2
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves, tree_map

CONFIG = gpt2.Config(vocab_size=11, context_length=8, layers=1, heads=2, channels=8)
IGNORE, B, G, T, LONGEST = -100, 2, 3, 6, 4
DRAW = np.random.default_rng(4)
PARAMS = tree_map(lambda weight: 3 * weight, init(gpt2, CONFIG, dtype=np.float64))
IDS = DRAW.integers(0, 11, (B, G, T))
# a question of two tokens, then answers of one to four
PLACES, LENGTHS = np.arange(T), np.array([[1, 3, 4], [2, 4, 2]])[..., None]
ANSWER = (PLACES >= 2) & (PLACES < 2 + LENGTHS)
TARGETS = np.where(ANSWER, DRAW.integers(0, 11, (B, G, T)), IGNORE)
REWARDS = DRAW.random((B, G))


def log_probs_of(ids, targets):
    shape = ids.shape
    logits, _ = gpt2.forward(PARAMS, ids.reshape(-1, T), CONFIG)
    return target_log_probs(logits, targets.reshape(-1, T))[0].reshape(shape)


def by_numpy(name, **batch):
    function = getattr(npgpt.finetuning, name)
    return function(npgpt.models.gpt2, PARAMS, config=CONFIG, **batch)


def by_torch(name, **batch):
    function = getattr(torchgpt.finetuning, name)
    batch = {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
             for key, value in batch.items()}
    loss, grads = function(torchgpt.models.gpt2, tree_map(torch.from_numpy, PARAMS),
                           config=CONFIG, **batch)
    return float(loss), tree_map(lambda grad: grad.numpy(), grads)


@pytest.fixture(params=[by_numpy, by_torch], ids=["numpy", "torch"])
def compute(request):
    return request.param


def largest(grads):
    return max(np.abs(grad).max() for _, grad in tree_leaves(grads))


def apart(one, other):
    other = dict(tree_leaves(other))
    return max(np.abs(grad - other[name]).max() for name, grad in tree_leaves(one))


def test_a_policy_that_is_the_reference_costs_ln_2(compute):
    pair = {"inputs": IDS[:, :2], "targets": TARGETS[:, :2]}
    reference = log_probs_of(**{"ids": pair["inputs"], "targets": pair["targets"]}).sum(axis=-1)
    loss, grads = compute("dpo_loss_and_grads", **pair, reference=reference, beta=0.3)
    assert abs(loss - np.log(2)) < 1e-14 and largest(grads) > 1e-3


@pytest.mark.parametrize(("name", "size", "more"), [
    ("grpo_loss_and_grads", advantages, {}),
    ("dr_grpo_loss_and_grads", centred_rewards, {"length": LONGEST})])
def test_equal_rewards_teach_nothing(compute, name, size, more):
    batch = {"inputs": IDS, "targets": TARGETS, "old": log_probs_of(IDS, TARGETS)}
    loss, grads = compute(name, **batch, advantages=size(np.full((B, G), 0.75)), **more)
    assert loss == 0 and largest(grads) == 0
    _, grads = compute(name, **batch, advantages=size(REWARDS), **more)
    assert largest(grads) > 1e-3


def test_at_once_after_drawing_grpo_s_loss_is_0_and_its_gradient_is_not(compute):
    batch = {"inputs": IDS, "targets": TARGETS, "old": log_probs_of(IDS, TARGETS)}
    loss, grads = compute("grpo_loss_and_grads", **batch, advantages=advantages(REWARDS))
    assert abs(loss) < 1e-14 and largest(grads) > 1e-3
    # Dr. GRPO's is minus the advantages by the answers' lengths
    sizes = centred_rewards(REWARDS)
    loss, _ = compute("dr_grpo_loss_and_grads", **batch, advantages=sizes, length=LONGEST)
    assert abs(loss + (sizes * LENGTHS[..., 0]).sum() / (LONGEST * B * G)) < 1e-14


def test_dr_grpo_s_first_gradient_is_reinforce_s_with_the_mean_as_baseline(compute):
    """Each answer's gradient of its log-probability, times its reward less the mean."""
    sizes = centred_rewards(REWARDS)
    batch = {"inputs": IDS, "targets": TARGETS, "old": log_probs_of(IDS, TARGETS)}
    _, grads = compute("dr_grpo_loss_and_grads", **batch, advantages=sizes, length=LONGEST)
    total = tree_map(np.zeros_like, PARAMS)
    for row, right, size in zip(IDS.reshape(-1, T), TARGETS.reshape(-1, T), sizes.ravel()):
        # minus the sum of the log-probabilities is cross-entropy divided by 1
        _, each = loss_and_grads(gpt2, PARAMS, row[None], right[None], CONFIG, count=1)
        total = tree_map(lambda old, new: old + size * new, total, each)  # noqa: B023
    total = tree_map(lambda grad: grad / (LONGEST * B * G), total)
    assert apart(grads, total) < 1e-14


def test_a_long_wrong_answer_costs_less_by_the_token_in_grpo_alone():
    """The length bias: of two bad answers the longer one is pushed down less a token."""
    counted = np.array([[[True] * 2 + [False] * 6, [True] * 8]])
    d_long = {}
    for name, more in (("grpo", ()), ("dr_grpo", (8,))):
        forward = getattr(npgpt.finetuning, name)
        backward = getattr(npgpt.finetuning, f"{name}_backward")
        _, saved = forward(np.where(counted, -1.0, 0.0), counted, *more)
        d_gains = backward(1.0, saved)[0]
        d_long[name] = d_gains[1, 0] / d_gains[0, 0]
    assert d_long == {"grpo": 0.25, "dr_grpo": 1.0}


SETTINGS = SimpleNamespace(accumulate=1, clip=1.0, beta_1=0.9, beta_2=0.95, weight_decay=0.1)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_trainers_take_pairs_and_their_count(accumulate):
    """Both packages take the same steps, whether or not a batch is cut into parts."""
    settings = SimpleNamespace(**{**vars(SETTINGS), "accumulate": accumulate})
    rows = [[(IDS[b, g], TARGETS[b, g]) for g in (0, 1)] for b in range(B)]
    batch = {**grouped(rows), "reference": log_probs_of(IDS, TARGETS).sum(axis=-1)[:, :2]}
    assert batch["inputs"].shape == (B, 2, T) and batch["count"] == B
    trainers = [
        npgpt.training.Trainer(gpt2, CONFIG, PARAMS, settings, loss_and_grads=partial(
            npgpt.finetuning.dpo_loss_and_grads, beta=0.5)),
        torchgpt.training.Trainer(
            torchgpt.models.gpt2, CONFIG, PARAMS, settings, device="cpu", loss_and_grads=partial(
                torchgpt.finetuning.dpo_loss_and_grads, beta=0.5))]
    losses = [[trainer.step(batch, 0.01)[0] for _ in range(3)] for trainer in trainers]
    assert abs(losses[0][0] - np.log(2)) < 1e-14 and losses[0][2] < losses[0][1] < losses[0][0]
    assert np.abs(np.subtract(*losses)).max() < 1e-12
    whole = npgpt.training.Trainer(gpt2, CONFIG, PARAMS, SETTINGS, loss_and_grads=partial(
        npgpt.finetuning.dpo_loss_and_grads, beta=0.5))
    assert abs(whole.step(batch, 0.01)[0] - losses[0][0]) < 1e-14
