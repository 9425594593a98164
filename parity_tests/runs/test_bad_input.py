"""What a user can get wrong: one line on stderr, status 2, nothing overwritten."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.files import locked, shell_quote
from npgpt.runs import train as loop
from npgpt.runs.checkpoint import create_run, read_config, saved_step
from npgpt.runs.curves import draw_run
from parity_tests.runs.run_checks import flags

pytestmark = pytest.mark.usefixtures("no_pictures")
locks = pytest.mark.skipif(os.name != "posix", reason="locks a file as only POSIX can")


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
def test_a_directory_that_holds_something(tmp_path, npgpt, corpus, command, monkeypatch):
    out = tmp_path / "run"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    line = flags(corpus=corpus, decay_steps=None, evaluate_every=None)
    refused(npgpt(command, *line, "--out", out), "holds another run",
            f"npgpt train --out {out} --resume")
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
    for device, word in (("cuda", "no cuda"), ("tpu", "unknown device 'tpu'"),
                         ("cpu:x", "unknown device 'cpu:x'")):
        refused(torchgpt(*line, "--device", device), word)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_gpu_beyond_the_last(monkeypatch):
    from npgpt.errors import InputError
    from torchgpt.device import pick_device

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert str(pick_device("cuda:1")) == "cuda:1"
    with pytest.raises(InputError, match="no cuda:2 on this machine: it has 2 GPUs"):
        pick_device("cuda:2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from npgpt.cli.main import main
    from npgpt.runs import train as loop
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
    (["--seed", "-1"], ["seed is -1"]),
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


def no_number(path):
    tensors = load_file(path / "model.safetensors")
    tensors["transformer.h.0.mlp.c_fc.bias"][1] = np.nan
    save_file(tensors, path / "model.safetensors")


def shards(weight_map):
    def change(path):
        (path / "model.safetensors").unlink()
        (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return change


def edit(name, **changes):
    """Other values in a JSON file; None takes one away."""

    def change(path):
        fields = {**json.loads((path / name).read_text()), **changes}
        kept = {key: value for key, value in fields.items() if value is not None}
        (path / name).write_text(json.dumps(kept))

    return change


def setting(name, value):
    """Another value of a setting in run.json."""

    def change(path):
        settings = json.loads((path / "run.json").read_text())["settings"]
        edit("run.json", settings={**settings, name: value})(path)

    return change


def facts(change):
    """Others of a training state: a text in their place, or other values, ... for none."""

    def apply(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            known = json.loads(source.metadata()["facts"])
        kept = change if isinstance(change, str) else json.dumps(
            {name: value for name, value in {**known, **change}.items() if value is not ...})
        save_file(load_file(file), file, metadata={"facts": kept})

    return apply


def moments(change):
    """A training state in which one of AdamW's running means is another."""

    def apply(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            metadata = source.metadata()
        tensors = load_file(file)
        change(tensors, "optimizer.m.tokens.weight")
        save_file(tensors, file, metadata=metadata)

    return apply


def turn_into_a_directory(path):
    path.unlink()
    path.mkdir()


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


def lose_the_state(path):
    """Of a run that has gone on after its first save."""
    settings = json.loads((path / "run.json").read_text())["settings"]
    edit("run.json", settings={**settings, "save_every": 1})(path)
    (path / "training.safetensors").unlink()


def test_a_run_killed_before_its_first_save_begins_again(tmp_path, npgpt, trained):
    """model.safetensors may be there already; the log ends with the first save's step."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "training.safetensors").unlink()
    edit("run.json", settings={**json.loads(
        (trained / "run.json").read_text())["settings"], "save_every": 2})(tmp_path / "run")
    assert npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3)[0] == 0
    log = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [0, 1, 2, 3]


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


@pytest.mark.skipif(os.name != "posix", reason="closes streams as a POSIX shell does")
@pytest.mark.parametrize(("closed", "status"), [("2>&-", 0), (">&-", 0), ("<&-", 0)])
def test_closed_streams(tmp_path, corpus, closed, status):
    quiet = ("import npgpt.runs.train as loop; loop.draw_run = lambda path: None;"
             " import sys; from npgpt.cli.main import main; sys.exit(main(sys.argv[1:]))")
    line = [sys.executable, "-c", quiet, "train", *flags(corpus=corpus, steps=2),
            "--out", str(tmp_path / "run")]
    done = subprocess.run(f"{shlex.join(line)} {closed}", shell=True, capture_output=True)
    assert done.returncode == status, done.stderr
    assert saved_step(tmp_path / "run") == 2


@pytest.mark.skipif(os.name != "posix", reason="has names of any bytes")
def test_names_that_are_no_utf_8(tmp_path, npgpt, trained):
    odd = tmp_path / os.fsdecode(b"o\xff")
    shutil.copytree(trained, odd)
    edit("run.json", data={"name": os.fsdecode(b"caf\xe9.txt")})(odd)
    draw_run(odd)
    assert npgpt("plot", odd, "--out", tmp_path / "a.png")[0] == 0
    assert (odd / "loss.png").exists() and (tmp_path / "a.png").exists()


def test_a_name_as_it_can_be_typed():
    assert [shell_quote(name) for name in ("a", "a b", "-r", "runs/-r")] == [
        "a", "'a b'", "./-r", "runs/-r"]


def test_a_place_that_is_no_directory(tmp_path, npgpt, corpus):
    (tmp_path / "runs").write_text("x")
    for out in (tmp_path / "runs" / "one", tmp_path / "runs" / "one" / "two"):
        refused(npgpt("train", *flags(corpus=corpus), "--out", out), "is no directory")


def test_a_port_that_cannot_be(npgpt):
    for port in ("99999", "-1"):
        refused(npgpt("book", "--serve", "--port", port), "--port")


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


def test_a_run_json_with_other_words_is_drawn_without_them(tmp_path, npgpt, trained):
    shutil.copytree(trained, tmp_path / "run")
    edit("run.json", data=[], settings={"clip": "x"})(tmp_path / "run")
    draw_run(tmp_path / "run")
    assert (tmp_path / "run" / "loss.png").exists()


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_more_than_the_memory_is_one_line(request, tmp_path, corpus, trained, command):
    """No machine addresses this much."""
    run = request.getfixturevalue(command)
    line = flags(corpus=corpus, channels=2**40)
    refused(run("train", *line, "--out", tmp_path / "run"), "not enough memory", "--accumulate")
    status, _, err = run("sample", trained, "--tokens", 2**48)
    refused((status, "", err), "not enough memory")


def test_torch_says_otherwise_that_memory_is_short():
    import torch

    from npgpt.cli.run import is_out_of_memory

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**50)
    assert is_out_of_memory(error.value)


@locks
def test_a_run_has_one_writer(tmp_path, npgpt, trained):
    """A second one is told so and changes nothing; the first one's end sets the run free."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    before = {p: p.read_bytes() for p in run.glob("*") if p.is_file()}
    line = ["train", "--out", run, "--resume", "--steps", 4]
    with locked(run):
        refused(npgpt(*line), f"{run} is being trained by another process")
        assert {p: p.read_bytes() for p in run.glob("*") if p.is_file()} == before
    assert npgpt(*line)[0] == 0


@locks
def test_a_duet_keeps_its_run_to_itself(tmp_path, npgpt, corpus, monkeypatch):
    run = tmp_path / "run"
    evaluate = loop.evaluate

    def met(*arguments):
        with pytest.raises(InputError, match="being trained by another process"), locked(run):
            pass
        return evaluate(*arguments)

    monkeypatch.setattr("npgpt.runs.duet.evaluate", met)
    line = flags(corpus=corpus, decay_steps=None, evaluate_every=None, steps=2)
    assert npgpt("duet", *line, "--out", run)[0] == 0
    with locked(run):
        pass


def test_a_run_that_another_took_further_is_not_taken_back(tmp_path, npgpt, trained, monkeypatch):
    """Between its being read and its being continued."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    initial_state = loop.initial_state
    line = ["train", "--out", run, "--resume", "--steps"]

    def meanwhile(*arguments):
        monkeypatch.setattr(loop, "initial_state", initial_state)
        assert npgpt(*line, 9)[0] == 0
        return initial_state(*arguments)

    monkeypatch.setattr(loop, "initial_state", meanwhile)
    refused(npgpt(*line, 4), "trained on meanwhile")
    assert saved_step(run) == 9


@pytest.mark.parametrize("there", [True, False])
def test_of_two_that_make_a_run_at_once_one_has_it(tmp_path, monkeypatch, there):
    """The other comes while the first is about to fill, or to name, its directory."""
    run, name = tmp_path / "run", "mkdir" if there else "rename"
    if there:
        run.mkdir()
    act = getattr(os, name)

    def interrupted(*arguments):
        monkeypatch.setattr(os, name, act)
        create_run(run, Config(7))
        act(*arguments)

    monkeypatch.setattr(os, name, interrupted)
    with pytest.raises(InputError, match="holds another run"):
        create_run(run, Config(9))
    assert read_config(run) == Config(7)
    assert [p.name for p in run.iterdir()] == ["config.json"]


def test_a_run_that_is_being_made_is_taken(tmp_path):
    (tmp_path / ".new").mkdir()
    with pytest.raises(InputError, match="holds another run"):
        create_run(tmp_path, Config(7))
    assert [p.name for p in tmp_path.iterdir()] == [".new"]


def test_a_log_with_foreign_lines(tmp_path, npgpt, trained):
    shutil.copytree(trained, tmp_path / "run")
    log = tmp_path / "run" / "log.jsonl"
    whole = log.read_text()
    log.write_bytes(whole.encode() + b'3\n[]\n{"train_loss": 1}\n{"step": "x"}\n'
                    b'{"step": true}\n\xff\n{"step": 1, "train_loss": [1]}\n'
                    b'{"step": 2, "validation_loss": {"x": 1}}\n' + b"[" * 100_000 + b'\n{"st')
    status, out, err = npgpt("plot", tmp_path / "run", "--out", tmp_path / "a.png", "--json")
    assert status == 0 and json.loads(out)["runs"][0]["step"] == 2, err
    assert npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3)[0] == 0
    assert log.read_text().startswith(whole) and len(log.read_text().splitlines()) == 5
    (tmp_path / "run" / "run.json").write_text("[" * 100_000)
    refused(npgpt("train", "--out", tmp_path / "run", "--resume"), "run.json is not JSON")


def in_legend(figure):
    return [text.get_text().strip() for text in figure.axes[0].get_legend().get_texts()]


def test_names_that_a_plot_would_read_as_formulas(tmp_path, npgpt, trained, monkeypatch):
    drawn, save = [], Figure.savefig

    def keep(figure, *args, **kwargs):
        drawn.append(figure)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    odd = [tmp_path / name for name in ("_a", "x$_{$y")]
    for path in odd:
        shutil.copytree(trained, path)
        draw_run(path)
        assert drawn[-1].axes[0].get_title(loc="left").startswith(path.name)
    assert npgpt("plot", *odd, "--out", tmp_path / "two.png")[0] == 0
    assert in_legend(drawn[-1]) == [path.name for path in odd]
    (tmp_path / "other").mkdir()
    namesake = shutil.copytree(trained, tmp_path / "other" / "_a")
    assert npgpt("plot", *odd, namesake, "--out", tmp_path / "two.png")[0] == 0
    assert in_legend(drawn[-1]) == [str(odd[0]), odd[1].name, str(namesake)]
    monkeypatch.setattr("npgpt.runs.inspection.printable", lambda checkpoint, id: "$x_{$")
    assert npgpt("inspect", trained, "--text", "a", "--picture", tmp_path / "three.png")[0] == 0


@pytest.mark.parametrize("name", ["run.json", "notes", ".png", "directory.png"])
def test_a_picture_takes_no_other_file_s_place(tmp_path, npgpt, trained, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "directory.png").mkdir()
    if name != "directory.png":
        (tmp_path / name).write_text("dear")
    refused(npgpt("plot", trained, "--out", name), name)
    refused(npgpt("inspect", trained, "--text", "the", "--picture", name), name)
    refused(npgpt("bench", "step", "--plot", name), name)
    refused(npgpt("bench", "generation", "--plot", name), name)
    assert name == "directory.png" or (tmp_path / name).read_text() == "dear"


def test_where_a_file_cannot_be_written_is_said_before_the_work(
        tmp_path, npgpt, trained, monkeypatch):
    for work in ("npgpt.benchmarks.timing.interleave", "npgpt.benchmarks.generation.measure",
                 "npgpt.benchmarks.tokenizer.measure", "subprocess.run",
                 "npgpt.runs.curves.draw_runs"):
        monkeypatch.setattr(work, None)
    for command in (["bench", "step"], ["bench", "memory"], ["bench", "generation"],
                    ["bench", "tokenizer"]):
        refused(npgpt(*command, "--record", tmp_path / "not" / "there.json"), "no directory")
        refused(npgpt(*command, "--record", tmp_path / "run.png"), "does not end in .json")
        refused(npgpt(*command, "--plot", tmp_path / "run.json"), "does not end in .png")
    refused(npgpt("plot", trained, "--out", tmp_path / "not" / "there.png"), "no directory")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        refused(npgpt("plot", trained, "--out", tmp_path / "a.png"), "may not be written to")
    tokenizer = trained / "tokenizer.json"
    before = tokenizer.read_bytes()
    refused(npgpt("tokenizer", "show", tokenizer, "the", "--html", tokenizer), "end in .html")
    assert tokenizer.read_bytes() == before
    refused(npgpt("bench", "memory", "--context-lengths", "64,x"), "context length 'x'")
    refused(npgpt("bench", "step", "--size", "S,L"), "unknown size 'L'")


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_a_hint_can_be_typed_whatever_the_directory_s_name(request, tmp_path, corpus, command):
    run = request.getfixturevalue(command)
    out = tmp_path / "two words; $HOME"
    line = ["train", *flags(corpus=corpus, steps=2), "--out", out]
    status, said, _ = run(*line)
    assert status == 0 and f"try it:  {command} sample {shlex.quote(str(out))}\n" in said
    refused(run(*line), f"{command} train --out {shlex.quote(str(out))} --resume")


def test_by_hand_is_not_compiled(torchgpt, tmp_path, corpus):
    line = ["train", *flags(corpus=corpus, steps=2), "--out", tmp_path / "run", "--device", "cpu"]
    for more in (["--check"], []):
        refused(torchgpt(*line, "--by-hand", "--compile", *more), "leave out --compile")
    assert not (tmp_path / "run").exists()
    assert torchgpt(*line, "--by-hand")[0] == 0
    refused(torchgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3, "--compile",
                     "--device", "cpu"), "leave out --compile")


def test_no_bfloat16_by_hand(torchgpt, corpus):
    line = flags(corpus=corpus, dtype="bfloat16")
    for more in (["--check"], []):
        refused(torchgpt("train", *line, "--by-hand", "--device", "cpu", *more), "not bfloat16")


@pytest.mark.parametrize(("arguments", "words"), [
    (["--at", "foo"], ["--at is 'foo'"]),
    (["--layer", "linear", "--at", "colour=red"], ["colour", "linear does not choose"]),
    (["--candidate", "npgpt", "--at", "B=2"], ["--at needs --layer"]),
])
def test_choices_that_gradcheck_does_not_know(npgpt, arguments, words):
    refused(npgpt("gradcheck", *arguments), *words)


def test_json_has_no_numbers_that_are_none(capsys):
    from npgpt.cli.output import print_json

    print_json({"a": [float("nan"), 1.5], "b": {"c": np.float32("inf"), "d": np.float64("-inf")},
                "e": (np.int64(3), "x", None, True)})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [None, 1.5], "b": {"c": None, "d": None}, "e": [3, "x", None, True]}


@pytest.mark.skipif(os.name != "posix", reason="sets the umask of POSIX")
def test_files_keep_to_the_umask_and_errors_to_their_names(tmp_path):
    from npgpt.files import write_atomically

    for umask in (0o077, 0o002):
        before = os.umask(umask)
        try:
            write_atomically(tmp_path / "one", "text")
        finally:
            os.umask(before)
        assert (tmp_path / "one").stat().st_mode & 0o777 == 0o666 & ~umask
    (tmp_path / "two").mkdir()
    for path in (tmp_path / "none" / "file", tmp_path / "two"):
        with pytest.raises(OSError) as caught:
            write_atomically(path, "text")
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert {p.name for p in tmp_path.iterdir()} == {"one", "two"}
