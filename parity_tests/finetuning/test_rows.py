"""Rows of conversations: the loss is on the answers only, padded or packed."""

from types import SimpleNamespace

import numpy as np
import pytest

from npgpt.finetuning import rows
from npgpt.layers.cross_entropy import IGNORE
from npgpt.models import gpt2
from npgpt.training import Trainer, loss_and_grads
from npgpt.tree import tree_leaves
from parity_tests.finetuning.row_checks import CHATS, CHECKS, CONFIG, PARAMS
from torchgpt.models import gpt2 as torch_gpt2
from torchgpt.training import Trainer as TorchTrainer

EXAMPLES = [rows.example(*chat) for chat in CHATS]


@pytest.mark.parametrize("name", CHECKS)
def test_law(name):
    CHECKS[name](rows)


def settings(accumulate):
    return SimpleNamespace(accumulate=accumulate, clip=1e9, beta_1=0.9, beta_2=0.99,
                           weight_decay=0.1)


@pytest.mark.parametrize(("model", "kind", "more"), [
    (gpt2, Trainer, {}), (torch_gpt2, TorchTrainer, {"device": "cpu"})])
def test_accumulation_weighs_each_token_alike(model, kind, more):
    """Parts with two, three and five answer tokens: no mean of their means."""
    batch = rows.padded(EXAMPLES)
    counts = (batch["targets"] != IGNORE).sum(axis=1)
    assert len(set(counts[:2])) == 2
    trainer = kind(model, CONFIG, PARAMS, settings(4), **more)
    loss, _ = trainer.step(batch, 0.0)
    expected, grads = loss_and_grads(gpt2, PARAMS, config=CONFIG, **batch)
    assert loss == pytest.approx(float(expected), abs=1e-12)
    found = dict(tree_leaves(trainer.numpy(trainer.grads)))
    for name, grad in tree_leaves(grads):
        assert np.abs(found[name] - grad).max() < 1e-12


def test_torch_reads_packed_rows_as_numpy_does():
    batch = rows.packed([EXAMPLES[:2], EXAMPLES[2:]], 16)
    expected, grads = loss_and_grads(gpt2, PARAMS, config=CONFIG, **batch)
    trainer = TorchTrainer(torch_gpt2, CONFIG, PARAMS, settings(2), device="cpu")
    loss, _ = trainer.step(batch, 0.0)
    assert loss == pytest.approx(float(expected), abs=1e-12)
    found = dict(tree_leaves(trainer.numpy(trainer.grads)))
    for name, grad in tree_leaves(grads):
        assert np.abs(found[name] - grad).max() < 1e-12
