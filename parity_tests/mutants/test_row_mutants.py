"""Each mistake in rows of conversations turns the check red that is about its step."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import npgpt.training.trainer
import torchgpt.training.trainer
from npgpt.finetuning import rows
from npgpt.layers.cross_entropy import IGNORE
from npgpt.models import gpt2
from npgpt.tree import tree_leaves
from parity_tests.finetuning.row_checks import CHATS, CHECKS, CONFIG, PARAMS, loss
from parity_tests.mutants.rows import EQUIVALENT, MUTANTS, ROWS
from torchgpt.models import gpt2 as torch_gpt2


def changed(module, old, new):
    """The module with `old` replaced by `new` in its text."""
    path = Path(importlib.import_module(module).__file__)
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1, f"{module} has {source.count(old)} times: {old}"
    copy = ModuleType(module)
    exec(compile(source.replace(old, new), str(path), "exec"), vars(copy))
    return copy


def red(module):
    for name, check in CHECKS.items():
        try:
            check(module)
        except Exception:
            yield name


def accumulated(module, copy, monkeypatch):
    """Whether a step in four parts still has the loss and gradients of the whole batch."""
    ours = torchgpt.training.trainer if module.startswith("torchgpt") else npgpt.training.trainer
    Trainer, model = ours.Trainer, torch_gpt2 if module.startswith("torchgpt") else gpt2
    if module.endswith("trainer"):
        Trainer = copy.Trainer
    else:
        monkeypatch.setattr(ours, "counted_batch", copy.counted_batch)
    settings = type("Settings", (), {"accumulate": 4, "clip": 1e9, "beta_1": 0.9, "beta_2": 0.99,
                                     "weight_decay": 0.1})()
    batch = rows.padded([rows.example(*chat) for chat in CHATS])
    assert (batch["targets"] == IGNORE).any()
    more = {"device": "cpu"} if model is torch_gpt2 else {}
    trainer = Trainer(model, CONFIG, PARAMS, settings, **more)
    value, _ = trainer.step(batch, 0.0)
    expected, grads = loss(batch)
    found = dict(tree_leaves(trainer.numpy(trainer.grads)))
    return abs(value - expected) < 1e-9 and all(
        np.abs(found[name] - grad).max() < 1e-9 for name, grad in tree_leaves(grads))


@pytest.mark.parametrize(("module", "old", "new", "check"), [pytest.param(
    *mutant[1:], id=f"{mutant[1]}: {mutant[0]}",
    marks=[pytest.mark.acceptance] if i and mutant[1] == ROWS else [])
    for i, mutant in enumerate(MUTANTS)])
def test_killed(module, old, new, check, monkeypatch):
    copy = changed(module, old, new)
    if check == "accumulation":
        assert not accumulated(module, copy, monkeypatch)
    else:
        assert check in list(red(copy))


@pytest.mark.acceptance
@pytest.mark.parametrize(("module", "old", "new"), [change[1:4] for change in EQUIVALENT],
                         ids=[change[0] for change in EQUIVALENT])
def test_what_is_equivalent_survives(module, old, new):
    assert list(red(changed(module, old, new))) == []


def test_the_accumulated_step_is_right_without_a_mistake(monkeypatch):
    for module in ("npgpt.training.trainer", "torchgpt.training.trainer"):
        assert accumulated(module, importlib.import_module(module), monkeypatch)
