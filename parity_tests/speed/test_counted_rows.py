"""Logits of the rows that count alone: the same loss and the same gradients, in both halves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import torchgpt.models
import torchgpt.speed.counted_rows
from npgpt.errors import InputError
from npgpt.finetuning import freeze
from npgpt.models import gpt2, llama, recurrent
from npgpt.speed import compiled, counted_rows
from npgpt.training import init, loss_and_grads, mean_loss
from npgpt.tree import tree_leaves, tree_map

GPT2 = gpt2.Config(11, context_length=6, layers=2, heads=2, channels=8)
LLAMA = llama.Config(11, context_length=6, layers=2, heads=2, kv_heads=1, channels=8)
CASES = {"gpt2, tied": (gpt2, replace(GPT2, tied=True)),
         "gpt2, untied": (gpt2, replace(GPT2, tied=False)),
         "llama, tied": (llama, replace(LLAMA, tied=True)),
         "llama, untied": (llama, replace(LLAMA, tied=False)),
         "recurrent": (recurrent, recurrent.Config(11, channels=8))}
DRAWS = np.random.default_rng(1)
INPUTS, TARGETS = DRAWS.integers(0, 11, (2, 3, 6))
TARGETS[DRAWS.random((3, 6)) < 0.6] = -100
# numbers of size one in float64, sums of at most 18 terms behind one another in some twenty
# products: 18 · 20 · 2^-53 is 4e-14
CLOSE = 1e-13
each = pytest.mark.parametrize("case", CASES)


def begun(case):
    model, config = CASES[case]
    return model, config, init(model, config, 3, np.float64)


def alike(found, expected):
    found, expected = (dict(tree_leaves([*each])) for each in (found, expected))
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert np.abs(np.asarray(array) - np.asarray(expected[name])).max() <= CLOSE, name


@each
def test_the_same_numbers(case):
    model, config, params = begun(case)
    for count in (None, 7):
        given = params, INPUTS, TARGETS, config, None, None
        expected = loss_and_grads(model, *given, None, count)
        alike(counted_rows.loss_and_grads(model, *given[:4], count=count), expected)
        alike([counted_rows.mean_loss(model, *given[:4], count=count)], [expected[0]])
        alike([mean_loss(model, *given, count)], [expected[0]])


@each
def test_of_a_frozen_model(case):
    """Where the head is frozen, it has no gradient, and what trains has the same."""
    model, config, params = begun(case)
    frozen = freeze(params, lambda path: path.endswith(("q", "qkv", "recurrence")))
    alike(counted_rows.loss_and_grads(model, frozen, INPUTS, TARGETS, config),
          loss_and_grads(model, frozen, INPUTS, TARGETS, config))


@each
def test_in_torch(case):
    model, config, params = begun(case)
    there = getattr(torchgpt.models, model.__name__.rpartition(".")[2])
    found = torchgpt.speed.counted_rows.loss_and_grads(
        there, tree_map(torch.from_numpy, params), torch.from_numpy(INPUTS),
        torch.from_numpy(TARGETS), config)
    alike(found, loss_and_grads(model, params, INPUTS, TARGETS, config))
    alike([torchgpt.speed.counted_rows.mean_loss(
        there, tree_map(torch.from_numpy, params), torch.from_numpy(INPUTS),
        torch.from_numpy(TARGETS), config)], [found[0]])


def test_on_compiled_loops():
    model, config, params = begun("llama, tied")
    alike(compiled.on_loops(counted_rows.loss_and_grads)(
        compiled.on_loops(model), params, INPUTS, TARGETS, config),
        loss_and_grads(model, params, INPUTS, TARGETS, config))


def test_no_more_rows_than_count():
    """The head reads so many rows, and none where no target counts."""
    model, config, params = begun("llama, tied")
    seen = []

    class Watched:
        @staticmethod
        def forward(params, ids, config):
            states, saved = model.forward(params, ids, config)
            seen.append(states.shape)
            return states, saved

        backward = staticmethod(model.backward)

    counted_rows.loss_and_grads(Watched, params, INPUTS, TARGETS, config)
    assert seen == [(3, 6, config.channels)]
    nothing = np.full_like(TARGETS, -100)
    loss, grads = counted_rows.loss_and_grads(model, params, INPUTS, nothing, config)
    assert loss == 0 and all(not array.any() for _, array in tree_leaves(grads))


@pytest.mark.parametrize("function", ["loss_and_grads", "mean_loss"])
def test_what_is_refused(function):
    model, config, params = begun("gpt2, tied")
    with pytest.raises(InputError, match="targets: 11 is neither -100 nor from 0 to 10"):
        getattr(counted_rows, function)(model, params, INPUTS, np.full_like(INPUTS, 11), config)
