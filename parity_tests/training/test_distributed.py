"""Two processes under torchrun, gloo between them, against one process."""

import contextlib
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.runs.diverged import Diverged
from npgpt.runs.settings import complete
from npgpt.training import init
from torchgpt.cli.main import main
from torchgpt.distributed import Distributed, check_parts, follow, joined, launched, own_gpu
from torchgpt.modules import GPT

TINY = ["--layers", "1", "--heads", "2", "--channels", "8", "--context-length", "8",
        "--batch-size", "8", "--accumulate", "2", "--dtype", "float64", "--device", "cpu",
        "--json"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone",
            "--nproc-per-node", "2", "-m", "torchgpt"]
SMALL = gpt2.Config(5, context_length=4, layers=1, heads=1, channels=4)
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def corpus(tmp_path):
    file = tmp_path / "corpus.txt"
    file.write_text("the cat sat on the mat and saw the dog run over the hill. " * 40)
    return ["--corpus", str(file)]


def small_trainer(**settings):
    return Distributed(GPT, SMALL, init(gpt2, SMALL), complete(settings), device="cpu")


def arrays(run):
    return load_file(run / "training.safetensors")


def log(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "memory_mb" not in line]


def test_two_processes_are_one(tmp_path, corpus, capsys):
    """Moments after a first step are its gradients, their squares too:
    equal to float64's rounding, with accumulation and shared masks."""
    one, two = tmp_path / "one", tmp_path / "two"
    options = ["train", *corpus, *TINY, "--steps", "2", "--save-every", "2",
               "--dropout", "0.2", "--shared-dropout", "--out"]
    assert main([*options, str(one)]) == 0
    done = subprocess.run([*TORCHRUN, *options, str(two)], env=ONE_THREAD, timeout=120,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["step"] == 2  # process 0 alone prints
    ours, theirs = arrays(two), arrays(one)
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        assert np.abs(ours[name] - array).max() <= 1e-12 * np.abs(array).max() + 1e-17, name
    assert len(log(two)) == len(log(one)) == 3
    for a, b in zip(log(two), log(one)):
        assert a.keys() == b.keys()
        for key in a.keys() & {"train_loss", "grad_norm", "validation_loss"}:
            assert a[key] == pytest.approx(b[key], rel=1e-12, abs=0)
    assert json.loads((two / "run.json").read_text())["torch"]["processes"] == 2


@pytest.mark.acceptance
def test_a_signal_stops_both_after_the_same_step_and_one_goes_on(tmp_path, corpus, capsys):
    run, whole = tmp_path / "run", tmp_path / "whole"
    options = ["train", *corpus, *TINY, "--steps", "4000", "--save-every", "4000",
               "--evaluate-every", "4000", "--out"]
    started = subprocess.Popen([*TORCHRUN, *options, str(run)], env=ONE_THREAD,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (run / "log.jsonl").exists() or len(log(run)) < 20:
        assert started.poll() is None and time.monotonic() < end, started.communicate()[1]
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=60)
    stopped = json.loads(out)
    assert stopped["status"] == "interrupted"
    step = stopped["step"]
    assert len(log(run)) == step + 1
    assert main(["train", "--resume", "--steps", str(step + 2), "--device", "cpu", "--json",
                 "--out", str(run)]) == 0
    again = [*options, str(whole), "--decay-steps", "4000", "--warmup-steps", "200"]
    again[again.index("--steps") + 1] = str(step + 2)
    assert main(again) == 0
    ours, theirs = arrays(run), arrays(whole)
    for name, array in theirs.items():
        assert np.abs(ours[name] - array).max() <= 1e-8 * np.abs(array).max() + 1e-12, name


@pytest.fixture
def alone(monkeypatch):
    """What torchrun sets for one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}

    @contextlib.contextmanager
    def enter():
        with monkeypatch.context() as patch:
            for name, value in where.items():
                patch.setenv(name, value)
            yield

    return enter


@pytest.fixture
def launched_alone(alone):
    def run(*line):
        with alone():
            return main([*map(str, line)])

    return run


def test_only_the_last_part_of_a_batch_sends_anything(alone):
    sent, of_parts = [], []

    def send(_, bucket):
        sent.append(bucket.index())
        done = torch.futures.Future()
        done.set_result(bucket.buffer())
        return done

    def backward(part, count, last):
        before = len(sent)
        loss = plain_backward(part, count, last)
        of_parts.append((last, len(sent) > before))
        return loss

    ids = np.zeros((6, 4), int)
    with alone(), joined("cpu"):
        trainer = small_trainer(batch_size=6, accumulate=3)
        plain_backward, trainer.backward = trainer.backward, backward
        trainer.parallel.register_comm_hook(None, send)
        for _ in (1, 2):
            trainer.step({"inputs": ids, "targets": ids}, 1e-3)
            assert of_parts == [(False, False), (False, False), (True, True)]
            of_parts.clear()


def test_a_resumed_run_keeps_its_masks_under_torchrun(tmp_path, corpus, launched_alone, capsys):
    from npgpt.cli.main import main as npgpt

    one, two = tmp_path / "one", tmp_path / "two"
    options = [*corpus, *TINY, "--dropout", "0.2", "--out", str(one)]
    options.remove("--device")
    options.remove("cpu")
    assert npgpt(["train", *options, "--steps", "2"]) == 0
    shutil.copytree(one, two)
    go_on = ["train", "--resume", "--steps", "4", "--device", "cpu", "--out"]
    assert main([*go_on, str(one)]) == 0
    assert launched_alone(*go_on, two) == 0
    ours, theirs = arrays(two), arrays(one)
    for name, array in theirs.items():
        assert np.abs(ours[name] - array).max() <= 1e-12 * np.abs(array).max() + 1e-17, name


def test_a_check_is_refused_under_torchrun(tmp_path, corpus, launched_alone, capsys):
    options = ["train", *corpus, *TINY, "--steps", "2", "--out", str(tmp_path / "run")]
    assert launched_alone(*options, "--check") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "leave torchrun away" in err
    assert not (tmp_path / "run").exists()


def test_a_run_by_hand_is_refused_under_torchrun(tmp_path, corpus, launched_alone, capsys):
    run = tmp_path / "run"
    options = ["train", *corpus, *TINY, "--steps", "2", "--out", str(run)]
    assert main([*options, "--by-hand"]) == 0
    before = arrays(run)["params.norm.weight"]
    capsys.readouterr()
    for line in (["train", "--resume", "--steps", "4", "--decay-steps", "4", "--device", "cpu",
                  "--out", run],
                 [*options[:-1], tmp_path / "new", "--by-hand"]):
        assert launched_alone(*line) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "leave torchrun away" in err
    assert np.array_equal(arrays(run)["params.norm.weight"], before)
    assert not (tmp_path / "new").exists()


@pytest.mark.acceptance
@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
def test_where_process_0_is_killed_the_other_leaves_in_silence(tmp_path, corpus):
    run = tmp_path / "run"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                 "MASTER_PORT": str(free.getsockname()[1])}
    line = [sys.executable, "-m", "torchgpt", "train", *corpus, *TINY, "--steps", "40000",
            "--out", str(run)]
    first, second = (
        subprocess.Popen(line, env={**ONE_THREAD, **where, "RANK": rank}, text=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for rank in "01")
    end = time.monotonic() + 60
    while not (run / "log.jsonl").exists() or len(log(run)) < 20:
        assert first.poll() is None and time.monotonic() < end, first.communicate()[1]
        time.sleep(0.1)
    first.kill()
    first.communicate()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1 and "Traceback" not in err, err


@pytest.mark.acceptance
def test_bad_input_is_one_line_from_one_process(tmp_path, corpus):
    options = ["train", *corpus, *TINY, "--batch-size", "6", "--out", str(tmp_path / "run")]
    done = subprocess.run([*TORCHRUN, *options], env=ONE_THREAD, timeout=120,
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.count("error: ") == 1
    assert "which 2 processes cannot share equally" in done.stderr
    assert not (tmp_path / "run").exists()  # so that the mended command makes it


def test_processes_share_each_part_equally():
    check_parts(complete({"batch_size": 12, "accumulate": 2}), 3)
    with pytest.raises(InputError, match="3 processes cannot share equally: choose a"
                       " --batch-size that 6 divides"):
        check_parts(complete({"batch_size": 8, "accumulate": 2}), 3)


def test_each_process_takes_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert str(own_gpu(4)) == "cuda:3"
    with pytest.raises(InputError, match="has 3 GPUs, too few for process 3"):
        own_gpu(3)


def test_each_process_drops_of_its_own(monkeypatch):
    """Their rows differ; so must their masks, and a step's stay the same."""
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setattr("torchgpt.distributed.DistributedDataParallel",
                        lambda module, **options: module)
    drawn = []
    for rank in (0, 1, 1):
        monkeypatch.setattr("torch.distributed.get_rank", lambda rank=rank: rank)
        small_trainer(dropout=0.5).begin_step()
        drawn.append(torch.rand(4).tolist())
    assert drawn[0] != drawn[1] == drawn[2]


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (1.0, math.inf)])
def test_a_process_that_follows_stops_where_the_first_one_does(loss, norm):
    run = SimpleNamespace(settings=complete({}), step=0)
    trainer = SimpleNamespace(
        draws_dropout=True, step=lambda batch, rate: (1.0, 1.0) if batch < 3 else (loss, norm))
    with pytest.raises(Diverged, match="at step 3"):
        follow(run, trainer, lambda: False, lambda batch: lambda step: step)


def test_a_run_of_its_own_is_not_launched(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    assert not launched()
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.setenv(name, "1")
    assert launched()
