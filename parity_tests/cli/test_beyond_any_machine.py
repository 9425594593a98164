"""Numbers larger than any machine, and files without an end: one line, status 2."""

import json
import os
import shutil
import subprocess
import sys
import warnings

import pytest

from npgpt.cli.run import is_out_of_memory
from parity_tests.runs.harm import edit, facts, setting
from parity_tests.runs.run_checks import flags, refused

pytestmark = pytest.mark.usefixtures("no_pictures")
HUGE = "7" * 400
both = pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
posix = pytest.mark.skipif(os.name != "posix", reason="has devices as POSIX does")


@both
@pytest.mark.parametrize(("name", "value"), [
    ("channels", 10**20), ("steps", HUGE), ("seed", 2**128), ("batch_size", HUGE),
    ("context_length", 10**20), ("heads", 10**30), ("layers", HUGE), ("evaluate_every", HUGE),
    ("evaluate_batches", 10**19), ("save_every", HUGE), ("accumulate", HUGE),
    ("warmup_steps", HUGE), ("decay_steps", HUGE), ("learning_rate", "1e999"),
])
def test_a_setting_beyond_any_machine(request, tmp_path, corpus, command, name, value):
    run = request.getfixturevalue(command)
    result = run("train", *flags(**{"corpus": corpus, name: value}), "--out", tmp_path / "run")
    refused(result, f"{name} is ", "at most" if name != "learning_rate" else "above 0")
    assert len(result[2]) < 200 and not (tmp_path / "run").exists()


@both
@pytest.mark.parametrize("channels", [2**40, 2**62])
def test_a_model_that_no_memory_holds(request, tmp_path, corpus, command, channels):
    run = request.getfixturevalue(command)
    line = flags(corpus=corpus, channels=channels)
    refused(run("train", *line, "--out", tmp_path / "run"),
            "not enough memory", "--channels", "--batch-size", "--accumulate")


@both
def test_the_advice_is_the_command_s_own(request, trained, command):
    run = request.getfixturevalue(command)
    more = ["--device", "cpu"] if command == "torchgpt" else []
    for tokens in (10**12, 10**20, HUGE):
        status, _, err = run("sample", trained, "--tokens", tokens, *more)
        refused((status, "", err), "max_new_tokens", "ask for fewer --tokens")
        assert "batch" not in err
    assert run("sample", trained, "--tokens", 9, *more)[0] == 0  # the advice


def test_the_advice_for_training_is_followed(npgpt, tmp_path, corpus):
    line = {"corpus": corpus, "steps": 1, "batch_size": 10**14}
    result = npgpt("train", *flags(**line), "--out", tmp_path / "one")
    refused((result[0], "", result[2].splitlines(keepends=True)[-1]), "not enough memory")
    line["batch_size"] = 8
    assert npgpt("train", *flags(**line, accumulate=4), "--out", tmp_path / "two")[0] == 0


@both
@pytest.mark.parametrize("harm", [
    *[setting(name, int(HUGE)) for name in ("steps", "seed", "batch_size", "learning_rate")],
    setting("warmup_steps", 10**20), setting("channels", 10**20),
    *[facts({name: int(HUGE)}) for name in ("step", "best", "optimizer.step")],
    facts({"step": 10**20}), facts({"optimizer.step": 10**20}), facts({"best": -int(HUGE)}),
    edit("config.json", n_embd=10**20), edit("config.json", n_positions=int(HUGE)),
])
def test_a_run_s_files_with_such_numbers(request, tmp_path, trained, command, harm):
    shutil.copytree(trained, tmp_path / "run")
    harm(tmp_path / "run")
    result = request.getfixturevalue(command)(
        "train", "--out", tmp_path / "run", "--resume", "--steps", 4)
    refused(result)
    assert len(result[2]) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("loss", [1.5e308, float("inf"), float("nan"), 10**290])
def test_losses_that_no_axis_reaches_are_not_drawn(npgpt, tmp_path, trained, loss):
    shutil.copytree(trained, tmp_path / "run")
    with open(tmp_path / "run" / "log.jsonl", "a") as log:
        log.write(json.dumps({"step": 3, "train_loss": loss, "grad_norm": loss}) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status, out, err = npgpt("plot", tmp_path / "run", "--out", tmp_path / "a.png", "--json")
    assert (status, err) == (0, "") and json.loads(out)["runs"][0]["step"] == 3


def test_what_libraries_say_of_such_sizes():
    import numpy as np
    import torch

    for make in (lambda: np.zeros((2**62, 2**62)), lambda: np.zeros(2**63),
                 lambda: np.zeros(2**62), lambda: np.zeros(10**30),
                 lambda: np.zeros(1, np.int64).fill(10**30),
                 lambda: torch.empty(2**62, 2**62), lambda: torch.empty(2**70),
                 lambda: torch.empty(2**61, dtype=torch.float64)):
        with pytest.raises(Exception) as caught:
            make()
        assert is_out_of_memory(caught.value), caught.value
    for error in (ValueError("shapes do not fit"), OverflowError("math range error"),
                  TypeError("an integer is required"), RuntimeError("shapes do not fit")):
        assert not is_out_of_memory(error)


@posix
@pytest.mark.parametrize("line", [
    ["train", "--corpus", "/dev/zero"], ["train", "--tokenizer", "/dev/zero"],
    ["tokenizer", "show", "/dev/zero", "the"], ["sample", "/dev/zero"],
    ["prepare", "/dev/zero", "--out", "prepared"],
])
def test_files_without_an_end(npgpt, tmp_path, corpus, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    given = flags(corpus=corpus) if line[:2] == ["train", "--tokenizer"] else []
    status, out, err = npgpt(*line, *given)
    refused((status, out, err.splitlines(keepends=True)[-1]))
    assert not (tmp_path / "runs").exists()


@posix
@pytest.mark.parametrize("command", ["encode", "decode"])
def test_standard_input_without_an_end(trained, command):
    line = [sys.executable, "-m", "npgpt", "tokenizer", command, str(trained / "tokenizer.json")]
    for device, status in (("/dev/zero", 2), ("/dev/urandom", 2), ("/dev/null", 0)):
        with open(device, "rb") as stdin:
            done = subprocess.run(line, stdin=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == status
        assert done.stderr == (
            "error: standard input is a device, which has no end: give a file\n" if status else "")


@pytest.mark.parametrize("data", [b"\xff\xfe12", b"1 2 \xe9", b"\x00"])
def test_ids_that_are_no_text_are_refused_as_text_is(trained, data):
    line = [sys.executable, "-m", "npgpt", "tokenizer", "decode", str(trained / "tokenizer.json")]
    done = subprocess.run(line, input=data, capture_output=True, timeout=60)
    refused((done.returncode, done.stdout.decode(), done.stderr.decode()), "ids are whole numbers")


@posix
@pytest.mark.parametrize(("line", "stream"), [
    ("doctor", ">"), ("sample RUN --tokens 3", ">"), ("sample RUN --tokens 3 --json", ">"),
    ("--help", ">"), ("nosuch", "2>"), ("sample nowhere", "2>")])
def test_a_full_device(trained, line, stream):
    command = f'"{sys.executable}" -m npgpt {line.replace("RUN", str(trained))} {stream}/dev/full'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr == ("error: No space left on device\n" if stream == ">" else "")


def test_numpy_s_warnings_reach_no_terminal(npgpt, tmp_path, corpus):
    line = flags(corpus=corpus, learning_rate=1e30, clip=1e30)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        status, out, err = npgpt("train", *line, "--out", tmp_path / "run", "--json")
    assert (status, out, warned) == (1, "", []) and "Warning" not in err
