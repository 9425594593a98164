"""What training refuses before it computes, in both packages; and the
schedule of a run whose settings do not name one."""

import numpy as np
import pytest

from npgpt.checking.edges import entered
from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.runs.settings import complete
from npgpt.training import init
from parity_tests.suite import in_both

CONFIG = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)


def test_a_schedule_that_nobody_gave():
    settings = complete({"steps": 400, "learning_rate": 0.5})
    found = settings.warmup_steps, settings.decay_steps, settings.minimum_rate
    assert found == (20, 400, 0.05)


@in_both
@pytest.mark.parametrize("function", ["loss_and_grads", "mean_loss"])
@pytest.mark.parametrize(("ids", "what"), [
    (np.array([[0, 5]]), "5 is outside the vocabulary, 0 to 4"),
    (np.array([[-1, 0]]), "-1 is outside the vocabulary"),
    (np.array([0, 1]), r"expected shape \(batch, tokens\), got \(2,\)"),
    (np.zeros((1, 0), int), "expected shape"),
    (np.zeros((1, 5), int), "5 tokens do not fit the context of 4"),
    *[(np.zeros((1, 2), kind), f"expected int64 numbers, got {kind}")
      for kind in ("float64", "bool", "uint8", "int32")],
])
def test_ids_that_do_not_fit_are_refused(package, function, ids, what):
    refused(package, function, ids, 0 * ids, what)


@in_both
@pytest.mark.parametrize("function", ["loss_and_grads", "mean_loss"])
@pytest.mark.parametrize(("targets", "what"), [
    (np.array([[0, 5]]), "5 is neither -100 nor from 0 to 4"),
    (np.array([[0, -1]]), "-1 is neither -100"),
    (np.array([[0]]), r"expected shape \(1, 2\) like ids, got \(1, 1\)"),
    (np.array([[0.0, 1.0]]), "targets: expected int64 numbers, got float64"),
])
def test_targets_that_do_not_fit_are_refused(package, function, targets, what):
    refused(package, function, np.array([[0, 1]]), targets, what)


def refused(package, function, ids, targets, what):
    params = entered(package, init(gpt2, CONFIG))
    with pytest.raises(InputError, match=what):
        package.find(function)(package.find("models.gpt2"), params, entered(package, ids),
                               entered(package, targets), CONFIG)
