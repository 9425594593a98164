"""npgpt train and torchgpt train, as they are typed."""

import json
import math
import re
import signal
import sys
from dataclasses import replace

import numpy as np
import pytest

from npgpt.models import gpt2, llama
from npgpt.runs.checkpoint import load_checkpoint, saved_step
from parity_tests.runs.run_checks import flags, log_of, python, refused


def test_a_run_and_what_it_leaves(npgpt, tmp_path, corpus):
    out = tmp_path / "run"
    status, text, err = npgpt("train", *flags(corpus=corpus), "--out", out, "--json")
    assert status == 0
    summary = json.loads(text)
    assert summary["step"] == 12 and summary["status"] == "finished"
    loss = summary["validation_loss"]
    assert summary["perplexity"] == pytest.approx(math.exp(loss))
    assert summary["bits_per_byte"] == pytest.approx(loss / math.log(2), rel=0.02)  # ASCII
    lines = log_of(out)
    assert [line["step"] for line in lines] == list(range(13))
    assert [line["step"] for line in lines if "validation_loss" in line] == [0, 4, 8, 12]
    assert all({"train_loss", "learning_rate", "grad_norm"} <= set(line) for line in lines[1:])
    assert min(line["validation_loss"] for line in lines[4::4]) == summary["best_validation_loss"]
    rates = {line["step"]: line["learning_rate"] for line in lines[1:]}
    # two steps up to 1e-3, then half a cosine over ten; step k is the schedule's k - 1
    last = 1e-4 + 9e-4 * (1 + math.cos(math.pi * 9 / 10)) / 2
    for step, rate in ((1, 5e-4), (2, 1e-3), (3, 1e-3), (12, last)):
        assert rates[step] == pytest.approx(rate, rel=1e-12)
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    static = {"run.json", "config.json", "tokenizer.json", "tokenizer_config.json"}
    weights = {"model.safetensors", "training.safetensors"}
    assert {p.name for p in out.iterdir()} == static | weights | {"log.jsonl", "loss.png", "best"}
    assert {p.name for p in (out / "best").iterdir()} == static | weights
    record = json.loads((out / "run.json").read_text())
    assert record["settings"]["corpus"] == str(corpus) and len(record["data"]["sha256"]) == 64
    assert record["settings"]["minimum_rate"] == pytest.approx(1e-4)
    assert "step 0/12" in err and "step 12/12" in err  # no terminal: plain lines
    assert "\x1b" not in err


@pytest.mark.usefixtures("no_pictures")
def test_accumulated_parts_equal_the_whole_batch(npgpt, tmp_path, corpus):

    from npgpt.tree import tree_leaves

    found = []
    for parts in (1, 2, 4):
        line = flags(corpus=corpus, accumulate=parts, dropout=0.2, dtype="float64")
        assert npgpt("train", *line, "--out", tmp_path / str(parts))[0] == 0
        found.append(load_checkpoint(tmp_path / str(parts)).params)
    for other in found[1:]:
        for (name, a), (_, b) in zip(tree_leaves(found[0]), tree_leaves(other)):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.usefixtures("no_pictures")
def test_both_halves_train_alike(npgpt, torchgpt, tmp_path, corpus):
    """NumPy, PyTorch by hand and autograd: accumulation, dropout, schedule, clipping."""
    line = flags(corpus=corpus, dtype="float64", dropout=0.1, accumulate=2, steps=50,
                 decay_steps=50, clip=0.5)
    assert npgpt("train", *line, "--out", tmp_path / "a")[0] == 0
    assert torchgpt("train", *line, "--device", "cpu", "--by-hand", "--out", tmp_path / "b")[0] == 0
    assert torchgpt("train", *line, "--device", "cpu", "--shared-dropout",
                    "--out", tmp_path / "c")[0] == 0
    logs = [log_of(tmp_path / name) for name in "abc"]
    for lines in zip(*logs, strict=True):
        for key in ("train_loss", "validation_loss", "grad_norm"):
            values = [line[key] for line in lines if key in line]
            assert len(values) in (0, 3)
            assert not values or max(values) - min(values) < 1e-9


@pytest.mark.usefixtures("no_pictures")
def test_a_model_is_compiled_where_it_is_asked_for(torchgpt, tmp_path, corpus, monkeypatch):
    compiled = []
    monkeypatch.setattr("torchgpt.modules.gpt2.GPT.compile", lambda model: compiled.append(model))
    line = ["train", *flags(corpus=corpus, steps=1), "--device", "cpu", "--out"]
    for place, more in (("plain", []), ("asked", ["--compile"])):
        assert torchgpt(*line, tmp_path / place, *more)[0] == 0
        assert len(compiled) == len(more)


@pytest.mark.usefixtures("no_pictures")
def test_numpy_runs_compiled_where_it_is_asked_to(npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.speed import compiled

    shards, on_loops = [], compiled.on_loops
    moves, one_move = [], compiled.adamw_step

    def counted(what):
        found = on_loops(what)
        if not callable(found):
            return found
        return lambda *given, **more: shards.append(given) or found(*given, **more)

    monkeypatch.setattr(compiled, "on_loops", counted)
    monkeypatch.setattr(compiled, "adamw_step",
                        lambda *given, **more: moves.append(given) or one_move(*given, **more))
    line = ["train", *flags(corpus=corpus, dropout=0.1, steps=3), "--json"]
    losses = {}
    for place, more in (("plain", []), ("compiled", ["--compile"])):
        status, out, _ = npgpt(*line, "--out", tmp_path / place, *more)
        assert status == 0 and bool(shards) == bool(more) and bool(moves) == bool(more)
        losses[place] = json.loads(out)["validation_loss"]
        recorded = json.loads((tmp_path / place / "run.json").read_text(encoding="utf-8"))
        assert recorded["compile"] == bool(more)
    assert losses["plain"] == pytest.approx(losses["compiled"], abs=1e-5)
    shards.clear()
    assert npgpt("train", *flags(corpus=corpus), "--check", "--compile")[0] in (0, 1) and shards


@pytest.mark.acceptance
def test_without_numba(tmp_path, corpus):
    code = ("import sys; sys.modules['numba'] = None; from npgpt.cli.main import main;"
            " sys.exit(main(sys.argv[1:]))")
    done = python(code, "train", *flags(corpus=corpus), "--compile", "--out", tmp_path / "run")
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert done.stderr == "error: numba is not installed: pip install 'npgpt[compile]'\n"
    done = python(code, "train", *flags(corpus=corpus, steps=1), "--out", tmp_path / "plain")
    assert done.returncode == 0, done.stderr
    done = python(code, "bench", "step", "--size", "S", "--rounds", "1", "--json")
    assert done.returncode == 0 and "npgpt --compile" not in done.stdout, done.stderr


@pytest.mark.usefixtures("no_pictures")
def test_a_second_ctrl_c_stops_at_once(npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.training import Trainer

    def pressed(*arguments):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "step", pressed)
    status, out, err = npgpt("train", *flags(corpus=corpus), "--out", tmp_path / "run")
    assert status == 130 and err.endswith("stopped\n") and "Traceback" not in err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("no_pictures")
def test_a_run_is_told_where_it_lies_against_the_recorded_curve(
        npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.runs import expected
    from npgpt.runs.run import plan_run
    from npgpt.runs.settings import complete

    line = ["train", "--corpus", corpus, "--steps", 2, "--out"]
    assert json.loads(npgpt(*line, tmp_path / "one", "--json")[1])["expected"] is None
    curve = expected.record(tmp_path / "one")
    assert list(curve["validation_loss"]) == ["0", "2"]
    file = tmp_path / "expected.json"
    monkeypatch.setattr(expected, "FILE", file)
    file.write_text(json.dumps([curve]))
    assert "as expected" in npgpt(*line, tmp_path / "two")[1]
    run = plan_run(tmp_path / "one", complete({"corpus": str(corpus), "steps": 2}), gpt2)
    losses = curve["validation_loss"]
    for moved, words in (  # the last step counts, above or below
            ({"0": 9.0}, "at step 2: [+-]0.0000, as expected"),
            ({"2": losses["2"] - 0.1}, "[+]0.1000, more than 0.02 off"),
            ({"2": losses["2"] + 0.1}, "-0.1000, more than 0.02 off")):
        file.write_text(json.dumps([{**curve, "validation_loss": {**losses, **moved}}]))
        assert re.search(words, expected.compare(run))
    other = plan_run(run.path, complete({"corpus": str(corpus), "steps": 2, "seed": 2}), gpt2)
    assert expected.compare(other) is None
    assert expected.compare(replace(run, model=llama)) is None
    file.write_text(json.dumps([{**curve, "sha256": "0"}]))
    assert expected.compare(run) is None


def test_the_recorded_curves_are_of_default_runs():
    from npgpt.runs.expected import FILE

    curves = json.loads(FILE.read_text())
    assert {curve["corpus"] for curve in curves} == {"python-docs", "stories"}
    for curve in curves:
        assert len(curve["sha256"]) == 64 and str(curve["steps"]) in curve["validation_loss"]


@pytest.mark.usefixtures("no_pictures")
def test_by_hand_is_not_compiled(torchgpt, tmp_path, corpus):
    line = ["train", *flags(corpus=corpus, steps=2), "--out", tmp_path / "run", "--device", "cpu"]
    for more in (["--check"], []):
        refused(torchgpt(*line, "--by-hand", "--compile", *more), "leave out --compile")
    assert not (tmp_path / "run").exists()
    assert torchgpt(*line, "--by-hand")[0] == 0
    refused(torchgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3, "--compile",
                     "--device", "cpu"), "leave out --compile")


@pytest.mark.usefixtures("no_pictures")
def test_no_bfloat16_by_hand(torchgpt, corpus):
    line = flags(corpus=corpus, dtype="bfloat16")
    for more in (["--check"], []):
        refused(torchgpt("train", *line, "--by-hand", "--device", "cpu", *more), "not bfloat16")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("command", ["train", "duet"])
def test_a_run_is_saved_though_nobody_reads_its_progress(
        tmp_path, npgpt, corpus, monkeypatch, command):
    from npgpt.cli import duet
    from npgpt.cli.progress import TrainingProgress

    def unread(self, record):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(TrainingProgress, "__call__", unread)
    monkeypatch.setattr(duet.LossTable, "__call__", unread)
    line = flags(corpus=corpus, steps=3, decay_steps=None, evaluate_every=None)
    assert npgpt(command, *line, "--out", tmp_path / "run")[0] == 0
    assert saved_step(tmp_path / "run") == 3
