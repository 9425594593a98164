"""A damaged checkpoint or run is refused in one line, and stays as it is."""

import json
import shutil

import pytest

from npgpt.runs.checkpoint import saved_step
from parity_tests.runs.harm import (
    cut,
    edit,
    facts,
    foreign,
    lose_a_tensor,
    lose_the_state,
    moments,
    no_number,
    setting,
    shards,
    swap_tokenizer,
    turn_into_a_directory,
)
from parity_tests.runs.run_checks import log_of, refused

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.mark.parametrize(("harm", "words"), [
    (no_number, ["the weight blocks.0.feed_forward.up.bias is not finite"]),
    (shards([]), ["index.json names no files"]),
    (shards({}), ["index.json names no files"]),
    (edit("config.json", n_layer=10**9), ["lacks transformer.h.1.ln_1.weight"]),
    (edit("config.json", n_head=4), ["was trained with 2 heads, but its config.json names 4"]),
    (lambda path: turn_into_a_directory(path / "model.safetensors"), ["is a directory"]),
    (lambda path: cut(path / "model.safetensors"), ["model.safetensors is cut off"]),
    (lambda path: (path / "model.safetensors").write_text("hello"), ["model.safetensors"]),
    (foreign, ["lacks", "unknown"]),
    (lose_a_tensor, ["lacks transformer.ln_f.bias"]),
    (lambda path: (path / "model.safetensors").unlink(), ["no weights yet"]),
    (lambda path: (path / "config.json").unlink(), ["no config.json"]),
    (lambda path: cut(path / "config.json"), ["config.json is not JSON"]),
    (lambda path: cut(path / "tokenizer.json"), ["tokenizer.json"]),
    (swap_tokenizer, ["has 3 tokens, but the model's vocabulary has"]),
])
def test_a_checkpoint_that_is_damaged(tmp_path, npgpt, torchgpt, trained, harm, words):
    shutil.copytree(trained, tmp_path / "run")
    harm(tmp_path / "run")
    for command in (npgpt, torchgpt):
        refused(command("sample", tmp_path / "run", "--tokens", 3), *words)


@pytest.mark.parametrize(("harm", "words"), [
    (lambda path: cut(path / "training.safetensors"), ["training.safetensors is cut off"]),
    (lambda path: shutil.copy(path / "model.safetensors", path / "training.safetensors"),
     ["not a training state"]),
    (lambda path: (path / "run.json").unlink(), ["no run.json"]),
    (lambda path: cut(path / "run.json"), ["run.json is not JSON"]),
    (lambda path: (path / "run.json").write_text(json.dumps(
        {**json.loads((path / "run.json").read_text()), "settings": {"steps": 3}})),
     ["another version"]),
    (edit("run.json", data=None), ["run.json does not say what it was trained on"]),
    (edit("run.json", data={"sha256": "", "ids_sha256": ""}), ["does not say what it was"]),
    (edit("run.json", settings=[]), ["run.json holds no settings"]),
    (setting("steps", "x"), ["run.json: steps is 'x'"]),
    (setting("batch_size", True), ["run.json: batch_size is True"]),
    (setting("tied", 1), ["run.json: tied is 1"]),
    (setting("warmup_steps", None), ["run.json: warmup_steps is None"]),
    (setting("minimum_rate", None), ["run.json: minimum_rate is None"]),
    (edit("config.json", n_layer=True), ["config.json: layers is True"]),
    *[(facts(change), ["not a training state"]) for change in (
        "{", "[]", "{}", {"step": "x"}, {"step": -5}, {"step": 1.5}, {"step": True},
        {"best": "low"}, {"best": float("nan")}, {"best": ...}, {"step": ...},
        {"optimizer.step": None})],
    (moments(lambda tensors, name: tensors.pop(name)), ["lacks optimizer.m.tokens.weight"]),
    (moments(lambda tensors, name: tensors.update({name: tensors[name][1:]})),
     ["optimizer.m.tokens.weight is"]),
    (edit("config.json", n_layer=10**9), ["of different models"]),
    (lambda path: turn_into_a_directory(path / "training.safetensors"), ["is a directory"]),
    (lambda path: (path / "tokenizer.json").unlink(), ["lost its tokenizer.json"]),
    (lambda path: lose_the_state(path), ["lost its training.safetensors"]),
])
def test_a_run_that_is_damaged(tmp_path, npgpt, trained, harm, words):
    shutil.copytree(trained, tmp_path / "run")
    harm(tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    refused(npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 4), *words)
    assert {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()} == before


def test_a_run_killed_before_its_first_save_begins_again(tmp_path, npgpt, trained):
    """model.safetensors may be there already; the log ends with the first save's step."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "training.safetensors").unlink()
    edit("run.json", settings={**json.loads(
        (trained / "run.json").read_text())["settings"], "save_every": 2})(tmp_path / "run")
    assert npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3)[0] == 0
    assert [line["step"] for line in log_of(tmp_path / "run")] == [0, 1, 2, 3]


def test_a_save_that_a_resume_has_put_off_is_not_missed(tmp_path, npgpt, trained):
    """The log may go on after the first save that was planned, with none ever made."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    lose_the_state(run)
    (run / "model.safetensors").unlink()
    assert npgpt("train", "--out", run, "--resume", "--steps", 3)[0] == 0
    assert saved_step(run) == 3


@pytest.mark.parametrize("harm", [
    lambda best: (best / "config.json").unlink(),
    lambda best: (shutil.rmtree(best), best.write_text("")),
])
def test_a_damaged_best_is_told_before_a_step(tmp_path, npgpt, trained, harm):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    harm(run / "best")
    before = (run / "log.jsonl").read_bytes()
    refused(npgpt("train", "--out", run, "--resume", "--steps", 6), "best is damaged: remove it")
    assert (run / "log.jsonl").read_bytes() == before


def test_an_empty_best_is_filled_whole(tmp_path, npgpt, trained):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    for file in (run / "best").iterdir():
        file.unlink()
    setting("evaluate_every", 1)(run)
    assert npgpt("train", "--out", run, "--resume", "--steps", 9)[0] == 0
    assert (run / "best" / "tokenizer.json").exists() and (run / "best" / "run.json").exists()
