"""What a finished run says of its losses."""

import json
import math

import numpy as np
import pytest

from npgpt.models import gpt2
from npgpt.runs.run import plan_run
from npgpt.runs.settings import complete
from npgpt.runs.summary import entropy, of_training_text, token_counts
from npgpt.runs.train import evaluate
from parity_tests.runs.run_checks import flags

pytestmark = pytest.mark.usefixtures("no_pictures")
TRAIN, VALIDATION = "abcdefgh " * 200, "a b a " * 40


class Unigram:
    """A trainer whose model knows how often each token occurs in a text."""

    def __init__(self, ids, V):
        self.log_probs = np.log((np.bincount(ids, minlength=V) + 1) / (len(ids) + V))
        self.read = 0

    def loss(self, batch):
        targets = batch["targets"][batch["targets"] >= 0]
        self.read += len(targets)
        return -self.log_probs[targets].mean()


def plan(tmp_path, train, validation, **given):
    """A run whose last document is the validation text."""
    file = tmp_path / "corpus.txt"
    file.write_text(train + "\n\n" + validation, encoding="utf-8")
    settings = complete({"corpus": str(file), "context_length": 8, "batch_size": 2, **given})
    run = plan_run(tmp_path / "run", settings, gpt2)
    ids = run.data.tokenizer.encode
    run.data.train, run.data.validation = np.array(ids(train)), np.array(ids(validation))
    return run


@pytest.mark.parametrize("given", [{}, {"evaluate_batches": 3}])
def test_as_much_of_the_training_text_is_evaluated(tmp_path, given):
    run = plan(tmp_path, TRAIN, VALIDATION, **given)
    trainer = Unigram(run.data.train, run.config.vocab_size)
    evaluate(trainer, run)
    validation, trainer.read = trainer.read, 0
    evaluate(trainer, run, "train")
    if given:
        assert {trainer.read, validation} <= {3 * 2 * 8, 3 * 2 * 8 - 1}  # the last may be short
    else:
        assert validation == len(VALIDATION) - 1
        assert trainer.read >= validation  # whole batches
        assert trainer.read <= 2 * 4096


def test_an_easier_validation_text_is_said_to_be_one(tmp_path):
    run = plan(tmp_path, TRAIN, VALIDATION)
    trainer = Unigram([*run.data.train, *run.data.validation], run.config.vocab_size)
    found = of_training_text(run, trainer, evaluate(trainer, run))
    counts = token_counts(run, "validation")
    space = run.data.tokenizer.encode(" ")[0]
    assert counts[space] == VALIDATION.count(" ")
    assert entropy(counts) == pytest.approx(
        math.log(2) / 2 + math.log(3) / 3 + math.log(6) / 6, abs=0.01)
    assert "50% of it, and 11% of the training text, is ' '" in found["easier"]
    assert "to 1.01 nats a token, the training text to 2.20;" in found["easier"]


def test_nothing_is_said_of_a_validation_text_that_is_harder(tmp_path):
    run = plan(tmp_path, VALIDATION * 9, TRAIN[:100])
    trainer = Unigram(run.data.train, run.config.vocab_size)
    assert of_training_text(run, trainer, evaluate(trainer, run))["easier"] is None
    # a model that knows the validation text alone
    run = plan(tmp_path, "x y x " * 360, TRAIN[:100])
    trainer = Unigram(run.data.validation, run.config.vocab_size)
    assert of_training_text(run, trainer, evaluate(trainer, run))["easier"] == (
        "the validation text is the easier one for this model")


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_train_prints_both_losses_and_why(request, tmp_path, command):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join(["zq jx kv wy pf"] * 90 + ["a a a a a a a"] * 10))
    line = ["train", *flags(corpus=corpus, evaluate_batches=None, steps=2)]
    run = request.getfixturevalue(command)
    status, out, _ = run(*line, "--out", tmp_path / "one")
    assert status == 0
    assert out.index("validation loss at step 2:") < out.index(
        "training loss over as much of the training text: ") < out.index("picture:")
    summary = json.loads(run(*line, "--out", tmp_path / "two", "--json")[1])
    lower = summary["validation_loss"] < summary["training_text_loss"]
    assert bool(summary["easier"]) == lower and (str(summary["easier"]) in out) == lower
