"""What train cannot do: one line on stderr, status 2, nothing overwritten."""

import os
import shutil
import subprocess
import sys

import pytest

from npgpt.errors import InputError
from parity_tests.runs.run_checks import flags, refused

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
@pytest.mark.parametrize(("changes", "words"), [
    ({"corpus": "shakespear"}, ["shakespear", "python-docs"]),
    ({"heads": 3}, ["3 heads do not divide 8 channels"]),
    ({"layers": 0}, ["layers is 0"]),
    ({"layers": 10**8}, ["layers is 100000000", "at most 10000"]),
    ({"channels": -8}, ["channels is -8"]),
    ({"context_length": 0}, ["context_length is 0"]),
    ({"batch_size": 0}, ["batch_size is 0"]),
    ({"steps": -1}, ["steps is -1"]),
    ({"save_every": 0}, ["save_every is 0"]),
    ({"learning_rate": "nan"}, ["learning_rate is nan"]),
    ({"learning_rate": "inf"}, ["learning_rate is inf"]),
    ({"learning_rate": 0}, ["learning_rate is 0"]),
    ({"dropout": 1.5}, ["dropout is 1.5"]),
    ({"dropout": "nan"}, ["dropout is nan"]),
    ({"clip": 0}, ["clip is 0"]),
    ({"minimum_rate": 0.1}, ["minimum_rate is 0.1", "at most 0.001"]),
    ({"beta_1": 1}, ["beta_1 is 1"]),
    ({"beta_2": 1}, ["beta_2 is 1"]),
    ({"accumulate": 3}, ["accumulate is 3", "batch size 4"]),
    ({"dtype": "float8"}, ["float8", "float32"]),
    ({"seed": -1}, ["seed is -1"]),
    ({"steps": "many"}, ["--steps"]),
    ({"tokenizer": "nowhere.json"}, ["nowhere.json"]),
    ({"colour": "red"}, ["--colour"]),
])
def test_a_setting_that_makes_no_sense(request, tmp_path, corpus, command, changes, words):
    out = tmp_path / "run"
    run = request.getfixturevalue(command)
    refused(run("train", *flags(**{"corpus": corpus, **changes}), "--out", out), *words)
    assert not out.exists() and not [p for p in tmp_path.iterdir() if p != corpus]


@pytest.mark.parametrize(("content", "words"), [
    (b"", ["empty"]),
    (b" \n\n ", ["empty"]),
    (b"caf\xe9 au lait " * 100, ["not UTF-8", "0xe9", "offset 3"]),
    (b"\xff\xfe" + "hello".encode("utf-16-le") * 50 + b"h", ["is cut off"]),
    (b"short", ["one piece of 5 characters"]),
    (None, ["no corpus and no file"]),
])
def test_a_corpus_that_cannot_be_used(tmp_path, npgpt, content, words):
    file = tmp_path / "corpus.txt"
    if content is not None:
        file.write_bytes(content)
    out = tmp_path / "run"
    refused(npgpt("train", *flags(corpus=file), "--out", out), *words)
    assert not out.exists()
    if content is not None:
        assert file.read_bytes() == content


@pytest.mark.parametrize("command", ["train", "duet"])
def test_a_directory_that_holds_something(tmp_path, npgpt, corpus, command, monkeypatch):
    out = tmp_path / "run"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    line = flags(corpus=corpus, decay_steps=None, evaluate_every=None)
    refused(npgpt(command, *line, "--out", out), "holds another run or other files",
            "choose another --out")
    assert [p.name for p in out.iterdir()] == ["letter.txt"]
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("npgpt.runs.data.load_corpus", None)  # said before it is read
    refused(npgpt(command, *line, "--out", tmp_path / "file"), "is a file")
    assert (tmp_path / "file").read_text() == "x"


def test_a_directory_without_write_permission(tmp_path, npgpt, corpus, monkeypatch):
    """Root may write anywhere, so the system's answer is given here."""

    def denied(path, mode=0o777):
        raise PermissionError(13, "Permission denied", str(path))

    out = tmp_path / "run"
    monkeypatch.setattr(os, "mkdir", denied)
    refused(npgpt("train", *flags(corpus=corpus), "--out", out), f"{out}: Permission denied")
    assert not out.exists()


def test_an_empty_directory_is_filled(tmp_path, npgpt, corpus, monkeypatch):
    """The one we stand in, and one behind a link, stay what they are."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    assert npgpt("train", *flags(corpus=corpus, steps=2), "--out", ".")[0] == 0
    assert os.path.samefile(".", here) and (here / "best" / "model.safetensors").exists()
    assert npgpt("sample", ".", "--tokens", 2)[0] == 0
    if os.name == "posix":
        (tmp_path / "link").symlink_to(there)
        assert npgpt("train", *flags(corpus=corpus, steps=2), "--out", tmp_path / "link")[0] == 0
        assert (tmp_path / "link").is_symlink() and (there / "model.safetensors").exists()
    assert {p.name for p in tmp_path.iterdir()} <= {corpus.name, "here", "there", "link"}
    assert not [p for p in tmp_path.rglob(".*")]


@pytest.mark.parametrize("line", [["train"], ["sample", "run"]])
def test_a_device_that_is_not_there(tmp_path, torchgpt, corpus, monkeypatch, line, trained):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    shutil.copytree(trained, tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    for device, word in (("cuda", "no cuda"), ("tpu", "unknown device 'tpu'"),
                         ("cpu:x", "unknown device 'cpu:x'")):
        refused(torchgpt(*line, "--device", device), word)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_gpu_beyond_the_last(monkeypatch):
    from torchgpt.device import pick_device

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert str(pick_device("cuda:1")) == "cuda:1"
    with pytest.raises(InputError, match="no cuda:2 on this machine: it has 2 GPUs"):
        pick_device("cuda:2")


def test_a_place_that_is_no_directory(tmp_path, npgpt, corpus):
    (tmp_path / "runs").write_text("x")
    for out in (tmp_path / "runs" / "one", tmp_path / "runs" / "one" / "two"):
        refused(npgpt("train", *flags(corpus=corpus), "--out", out), "is no directory")

SMALL_FILES = """
import resource, sys
from npgpt.cli.main import main
from npgpt.runs import train as loop
loop.draw_run = lambda path: None
resource.setrlimit(resource.RLIMIT_FSIZE, (size := int(sys.argv[1]), size))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits a file's size as only POSIX can")
@pytest.mark.parametrize(("size", "file"), [
    (1000, "run"), (4000, "run/best/model.safetensors"),
    (12_000, "run/best/training.safetensors")])
def test_a_full_disk(tmp_path, corpus, size, file):
    line = ["train", *flags(corpus=corpus), "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", SMALL_FILES, str(size), *line],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: ") and f"{tmp_path / file}:" in error
    assert "File too large" in error
    assert not (tmp_path / file).exists() and not list(tmp_path.rglob(".*"))
