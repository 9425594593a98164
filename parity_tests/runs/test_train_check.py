"""`npgpt train --check` says yes to a sound model, and names what is wrong in others."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from npgpt.families.weight import normal
from npgpt.models import gpt2
from npgpt.runs import checks
from npgpt.runs.run import plan_run
from npgpt.runs.settings import complete
from npgpt.runs.trainers import numpy_trainer
from npgpt.training import Trainer
from npgpt.tree import tree_map
from parity_tests.runs.run_checks import TINY, flags

SIZES = {"channels": 16, "context_length": 8, "layers": 2, "learning_rate": 1e-2}


def planned(tmp_path, corpus, **changes):
    return plan_run(tmp_path, complete({**TINY, **SIZES, "corpus": str(corpus), **changes}),
                    gpt2)


def open_trainer(run):
    return numpy_trainer(run, compile=False)


def answers(npgpt, corpus, **changes):
    status, out, _ = npgpt("train", *flags(corpus=corpus, **{**SIZES, **changes}),
                           "--check", "--json")
    found = json.loads(out)
    assert status == (0 if found["right"] else 1)
    return [entry["question"] for entry in found["checks"] if not entry["right"]], found["checks"]


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_a_sound_model_passes_and_nothing_is_written(
        request, tmp_path, corpus, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    run = request.getfixturevalue(command)
    status, out, err = run("train", *flags(corpus=corpus, **SIZES), "--check")
    assert (status, err) == (0, "")
    assert out.count("ok ") == 5 and "fit to be trained" in out
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_a_run_that_has_begun_is_not_checked(request, tmp_path, command):
    run = request.getfixturevalue(command)
    status, out, err = run("train", "--check", "--resume", "--out", tmp_path)
    assert (status, out) == (2, "") and "leave out --resume" in err and err.count("\n") == 1


def test_a_mask_that_leaks(npgpt, corpus, monkeypatch):
    module = sys.modules["npgpt.layers.attention"]  # the name is also a function's
    monkeypatch.setattr(module, "causal_mask", lambda T, S, like: np.ones((T, S), bool))
    assert "looks back only" in answers(npgpt, corpus)[0]


@pytest.mark.parametrize("by", [-1, 1])
def test_targets_that_are_not_the_next_tokens(npgpt, corpus, monkeypatch, by):
    from npgpt.runs import train as loop

    drawn = loop.draw_batch

    def shifted(*arguments):
        inputs, targets = drawn(*arguments)
        return inputs, np.roll(targets, by, axis=1)

    monkeypatch.setattr(loop, "draw_batch", shifted)
    assert answers(npgpt, corpus)[0][0] == "targets one on"


def test_a_layer_that_no_gradient_reaches(npgpt, corpus, monkeypatch):
    sound = gpt2.backward

    def dead(*arguments):
        grads = sound(*arguments)
        grads["blocks"][1]["feed_forward"]["up"]["weight"] *= 0
        return grads

    monkeypatch.setattr(gpt2, "backward", dead)
    wrong, found = answers(npgpt, corpus)
    assert wrong == ["gradients reach all"]
    assert "blocks.1.feed_forward.up.weight" in found[3]["found"]


def test_a_layer_that_learns_a_thousand_times_slower(tmp_path, corpus, monkeypatch):
    sound = gpt2.backward

    def slow(*arguments):
        grads = sound(*arguments)
        grads["blocks"][1] = tree_map(lambda grad: 1e-3 * grad, grads["blocks"][1])
        return grads

    run = planned(tmp_path, corpus)
    assert checks.gradient_flow(run, open_trainer)[-1]
    monkeypatch.setattr(gpt2, "backward", slow)
    assert not checks.gradient_flow(run, open_trainer)[-1]


def test_a_loss_below_what_guessing_gives(tmp_path, corpus, monkeypatch):
    """As where a loss is divided by too much, or sees its target."""
    sound = Trainer.loss
    monkeypatch.setattr(Trainer, "loss", lambda self, batch: 0.9 * sound(self, batch))
    assert not checks.initial_loss(planned(tmp_path, corpus), open_trainer)[-1]


def test_text_of_the_last_token_alone_is_checked_too(tmp_path, corpus):
    run = planned(tmp_path, corpus)
    run.data.train = np.full(99, run.config.vocab_size - 1)
    assert checks.causality(run, open_trainer)[-1]


def test_dropout_keeps_no_model_from_its_batch(tmp_path, corpus):
    run = planned(tmp_path, corpus, dropout=0.9)
    assert checks.overfit(run, open_trainer, lambda step, loss: None)[-1]


def test_a_start_that_is_too_sure(npgpt, corpus, monkeypatch):
    monkeypatch.setattr("npgpt.families.gpt2.SMALL", normal(0.5))
    assert "starts at ln V" in answers(npgpt, corpus)[0]


def test_a_rate_that_is_far_too_high(npgpt, corpus):
    wrong, found = answers(npgpt, corpus, learning_rate=1e4)
    assert wrong == ["learns one batch"]
    assert "at step" in found[-1]["found"] and "checkpoint" not in found[-1]["found"]


def test_a_rate_that_learns_nothing(npgpt, corpus):
    assert answers(npgpt, corpus, learning_rate=1e-7)[0] == ["learns one batch"]


@pytest.mark.usefixtures("no_pictures")
def test_a_prepared_directory(npgpt, tmp_path, monkeypatch):
    """Its tokenizer is taken, its token files are mapped, and a change is noticed."""
    from npgpt.text import load_corpus

    prepared, out = tmp_path / "prepared", tmp_path / "run"
    text = tmp_path / "docs.txt"
    text.write_text(load_corpus("python-docs").text[:60_000], encoding="utf-8")
    status, _, err = npgpt("prepare", text, "--out", prepared, "--workers", 1)
    assert status == 0, err
    corpus = load_corpus(prepared)
    with monkeypatch.context() as patch:  # its texts are not read
        patch.setattr("npgpt.runs.data.load_corpus", None)
        data = plan_run(out, complete({"corpus": str(prepared), "context_length": 8}), gpt2).data
        assert npgpt("train", *flags(corpus=prepared, steps=2), "--out", out)[0] == 0
        assert npgpt("train", "--out", out, "--resume", "--steps", 3)[0] == 0
    assert isinstance(data.train, np.memmap) and data.record["sha256"] == corpus.sha256
    assert data.validation_bytes == len((corpus.validation_text + "\n\n").encode())
    assert data.tokenizer.to_json() == (prepared / "tokenizer.json").read_text()
    # the same tokenizer by another way is the same; another one reads the texts
    for tokenizer, mapped in (("characters", True), (str(prepared / "tokenizer.json"), True),
                              ("words", False)):
        other = tmp_path / Path(tokenizer).stem
        line = flags(corpus=prepared, steps=2, tokenizer=tokenizer)
        given = {"corpus": str(prepared), "context_length": 8, "tokenizer": tokenizer}
        train = plan_run(out, complete(given), gpt2).data.train
        assert isinstance(train, np.memmap) == mapped
        assert npgpt("train", *line, "--out", other)[0] == 0
        assert npgpt("train", "--out", other, "--resume", "--steps", 3)[0] == 0
    tokens = bytearray((prepared / "train.tokens").read_bytes())
    tokens[-2:] = bytes(2) if any(tokens[-2:]) else b"\1\0"
    (prepared / "train.tokens").write_bytes(bytes(tokens))
    status, _, err = npgpt("train", "--out", out, "--resume", "--steps", 4)
    assert status == 2 and "train.tokens has changed" in err
