"""A loss, a gradient or a weight that is not finite stops a run, and is explained."""

import math
from functools import partial

import numpy as np
import pytest
from safetensors.numpy import load_file

from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.training import init
from parity_tests.runs.run_checks import flags


@pytest.mark.usefixtures("no_pictures")
def test_a_loss_that_is_no_number_stops_the_run(npgpt, tmp_path, corpus):
    out = tmp_path / "run"
    status, _, err = npgpt("train", *flags(
        corpus=corpus, learning_rate=1e30, clip=1e30, save_every=1), "--out", out)
    assert status == 1
    last = err.splitlines()[-1]
    assert last.startswith("error: ") and "step" in last and "went bad" in last
    assert "last good checkpoint is" in last or "no good checkpoint yet" in last
    # what is saved can be read, and holds numbers

    from npgpt.tree import tree_leaves

    assert all(np.isfinite(array).all() for _, array in tree_leaves(load_checkpoint(out).params))


def test_the_last_good_checkpoint_is_the_latest_that_holds_numbers(tmp_path):
    from types import SimpleNamespace

    from npgpt.runs.diverged import last_good
    from npgpt.training import adamw_init, init

    config = gpt2.Config(5, context_length=4, layers=1, heads=1, channels=4)
    run = SimpleNamespace(path=tmp_path / "run", config=config, model=gpt2, adapter=None, trains=())

    def save(path, step, spoil=1.0):
        params = init(gpt2, config)
        params["norm"]["weight"] *= spoil
        save_checkpoint(path, config, params, training={
            "step": step, "best": None, "optimizer": adamw_init(params)})

    save_checkpoint(run.path, config, init(gpt2, config))
    assert "no good checkpoint yet" in last_good(run)
    save(run.path / "best", 4)
    assert f"is {run.path / 'best'}, step 4" in last_good(run)
    save(run.path, 7)
    assert f"is {run.path}, step 7" in last_good(run)
    save(run.path / "best", 9)
    assert f"is {run.path / 'best'}, step 9" in last_good(run)
    save(run.path / "best", 9, spoil=np.nan)
    assert f"is {run.path}, step 7" in last_good(run)
    save(run.path, 7, spoil=np.inf)
    assert "no good checkpoint yet" in last_good(run)


def spoil(self, *given):
    self.params["norm"]["bias"][0] = math.nan


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("call", "bad", "words"), [
    ("clip", lambda grads, limit: (grads, math.inf), "the gradient's norm is inf at step 1"),
    ("loss", lambda self, *given: math.nan, "the validation loss is nan after step 2"),
    ("move", spoil, "the weight norm.bias is not finite after step 1"),
], ids=["norm", "validation", "weight"])
def test_a_number_that_is_none_stops_the_run_before_it_is_saved(
        npgpt, tmp_path, corpus, monkeypatch, call, bad, words):

    from npgpt.training import Trainer

    if call == "clip":
        monkeypatch.setattr("npgpt.training.Trainer", partial(Trainer, clip=bad))
    else:
        monkeypatch.setattr(Trainer, call, bad)
    out = tmp_path / "run"
    line = flags(corpus=corpus, evaluate_every=2, save_every=1)
    status, _, err = npgpt("train", *line, "--out", out)
    assert status == 1 and words in err.splitlines()[-1]
    for file in out.rglob("*.safetensors"):
        assert all(np.isfinite(array).all() for array in load_file(file).values())


def test_what_went_bad_first_is_named():

    from npgpt.runs import diverged

    first_bad = partial(diverged.first_bad, gpt2)
    config = gpt2.Config(5, context_length=4, layers=2, heads=1, channels=4)
    params = init(gpt2, config)
    ids = np.zeros((1, 4), int)
    assert "no tensor is bad" in first_bad(params, params, config, ids)
    steep = init(gpt2, config)
    steep["blocks"][0]["norm_2"]["bias"][1] = 1e20  # finite, but not its square in float32
    assert first_bad(params, steep, config, ids) == (
        "the gradient of blocks.0.norm_2.bias is too large to be squared")
    grads = init(gpt2, config)  # the backward pass begins at the end
    for part in (grads["tokens"], grads["blocks"][0]["norm_1"], grads["norm"]):
        part["weight"][0] = np.nan
    assert first_bad(params, grads, config, ids) == "the gradient of norm.weight went bad first"
    params["blocks"][1]["feed_forward"]["down"]["bias"][0] = 3e38
    params["blocks"][1]["attention"]["out"]["bias"][0] = 3e38
    assert first_bad(params, params, config, ids) == "the output of blocks.1 went bad first"
    params["blocks"][0]["norm_2"]["weight"][1] = np.nan
    assert first_bad(params, params, config, ids) == (
        "the weight blocks.0.norm_2.weight went bad first")
