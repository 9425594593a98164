"""What a user can get wrong: one line on stderr, status 2, nothing overwritten."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from parity_tests.runs.run_checks import flags

pytestmark = pytest.mark.usefixtures("no_pictures")


def refused(result, *words):
    status, out, err = result
    assert status == 2 and out == ""
    assert re.fullmatch(r"error: [^\n]+\n", err), err
    assert "Traceback" not in err
    for word in words:
        assert word in err, err


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
@pytest.mark.parametrize(("changes", "words"), [
    ({"corpus": "shakespear"}, ["shakespear", "python-docs"]),
    ({"heads": 3}, ["3 heads do not divide 8 channels"]),
    ({"layers": 0}, ["layers is 0"]),
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
    (b"\xff\xfe" + "hello".encode("utf-16-le") * 50, ["not UTF-8"]),
    (b"short", ["too few for a context of 8"]),
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
def test_a_directory_that_holds_something(tmp_path, npgpt, corpus, command):
    out = tmp_path / "run"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    line = flags(corpus=corpus, decay_steps=None, evaluate_every=None)
    refused(npgpt(command, *line, "--out", out), "holds another run", "--out")
    assert [p.name for p in out.iterdir()] == ["letter.txt"]
    (tmp_path / "file").write_text("x")
    refused(npgpt(command, *line, "--out", tmp_path / "file"), "file")
    assert (tmp_path / "file").read_text() == "x"


def test_a_directory_without_write_permission(tmp_path, npgpt, corpus, monkeypatch):
    """Root may write anywhere, so the system's answer is given here."""

    def denied(prefix, dir):
        raise PermissionError(13, "Permission denied", f"{dir}/{prefix}x")

    monkeypatch.setattr("npgpt.checkpoint.tempfile.mkdtemp", denied)
    refused(npgpt("train", *flags(corpus=corpus), "--out", tmp_path / "run"), "Permission denied")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("line", [
    ["train", "--resume"], ["train", "--resume", "--out", "nowhere"], ["sample", "nowhere"],
    ["sample"], ["fly"], ["train", "--steps"],
])
def test_a_command_that_is_not_whole(npgpt, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    refused(npgpt(*line))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("line", [["train"], ["sample", "run"]])
def test_a_device_that_is_not_there(tmp_path, torchgpt, corpus, monkeypatch, line, trained):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    shutil.copytree(trained, tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    for device, word in (("cuda", "no cuda"), ("tpu", "unknown device 'tpu'")):
        refused(torchgpt(*line, "--device", device), word)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from npgpt.cli.main import main
    from npgpt.training import loop
    from parity_tests.runs.run_checks import write_corpus

    path = tmp_path_factory.mktemp("trained")
    corpus = write_corpus(path / "corpus.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_run", lambda path: None)
        assert main(["train", *flags(corpus=corpus, steps=2), "--out", str(path / "run")]) == 0
    return path / "run"


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
@pytest.mark.parametrize(("arguments", "words"), [
    (["--prompt", "Zürich"], ["'Z'", "'ü'"]),
    (["--prompt", ""], ["prompt is empty"]),
    (["--ids", "1,2,99"], ["id 99 is out of range"]),
    (["--ids", "-1"], ["id -1 is out of range"]),
    (["--ids", "one"], ["--ids is 'one'"]),
    (["--ids", "1", "--prompt", "a"], ["not both"]),
    (["--tokens", "-5"], ["tokens is -5"]),
    (["--temperature", "-1"], ["temperature is -1"]),
    (["--temperature", "nan"], ["temperature is nan"]),
    (["--top-k", "0"], ["top_k is 0"]),
    (["--top-p", "0"], ["top_p is 0"]),
])
def test_a_sample_that_cannot_be(request, trained, command, arguments, words):
    more = ["--device", "cpu"] if command == "torchgpt" else []
    refused(request.getfixturevalue(command)("sample", trained, *arguments, *more), *words)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def swap_tokenizer(path):
    from npgpt.text import CharacterTokenizer

    CharacterTokenizer.train("abc").save(path / "tokenizer.json")


def foreign(path):
    save_file({"bias": np.ones(3, np.float32)}, path / "model.safetensors")


def lose_a_tensor(path):
    tensors = load_file(path / "model.safetensors")
    del tensors["transformer.ln_f.bias"]
    save_file(tensors, path / "model.safetensors")


@pytest.mark.parametrize(("harm", "words"), [
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
def test_a_checkpoint_that_is_damaged(tmp_path, npgpt, trained, harm, words):
    shutil.copytree(trained, tmp_path / "run")
    harm(tmp_path / "run")
    refused(npgpt("sample", tmp_path / "run", "--tokens", 3), *words)


@pytest.mark.parametrize(("harm", "words"), [
    (lambda path: cut(path / "training.safetensors"), ["training.safetensors is cut off"]),
    (lambda path: shutil.copy(path / "model.safetensors", path / "training.safetensors"),
     ["not a training state"]),
    (lambda path: (path / "run.json").unlink(), ["no run.json"]),
    (lambda path: cut(path / "run.json"), ["run.json is not JSON"]),
    (lambda path: (path / "run.json").write_text(json.dumps(
        {**json.loads((path / "run.json").read_text()), "settings": {"steps": 3}})),
     ["another version"]),
    (lambda path: (path / "tokenizer.json").unlink(), ["lost its tokenizer.json"]),
])
def test_a_run_that_is_damaged(tmp_path, npgpt, trained, harm, words):
    shutil.copytree(trained, tmp_path / "run")
    harm(tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    refused(npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 4), *words)
    assert {p: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()} == before


def test_a_full_disk(tmp_path, npgpt, corpus, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device", "model.safetensors")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    status, _, err = npgpt("train", *flags(corpus=corpus), "--out", tmp_path / "run")
    assert status == 2
    assert err.splitlines()[-1] == "error: model.safetensors: No space left on device"
    assert not list((tmp_path / "run").rglob("*.safetensors"))
