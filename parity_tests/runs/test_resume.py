"""A run that is stopped, killed or moved goes on as if nothing had happened."""

import json
import os
import shutil
import signal

import pytest

from npgpt.runs.checkpoint import load_checkpoint
from npgpt.text.prepare.prepared import FORMAT, is_prepared
from parity_tests.runs.run_checks import flags, log_of, python, same_bits

pytestmark = pytest.mark.usefixtures("no_pictures")


def halves():
    return [
        ("npgpt", ()),
        ("npgpt", ("--compile",)),
        ("torchgpt", ("--by-hand", "--device", "cpu")),
        ("torchgpt", ("--device", "cpu")),
        ("torchgpt", ("--device", "cpu", "--shared-dropout")),
    ]


@pytest.mark.parametrize(("command", "more"), halves(), ids=[
    "numpy", "numpy-compiled", "torch-by-hand", "torch", "torch-shared-dropout"])
def test_ctrl_c_and_resume_give_the_same_bits(
        request, tmp_path, corpus, monkeypatch, command, more):
    run = request.getfixturevalue(command)
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    line = ["train", *flags(corpus=corpus, dropout=0.1, accumulate=2), *more]
    assert run(*line, "--out", whole)[0] == 0
    from npgpt.runs import train

    loop = train.loop

    def pressed(*arguments, log, **more):
        def after_the_step(step, *values):
            if step == 7:
                signal.raise_signal(signal.SIGINT)
            log(step, *values)

        return loop(*arguments, log=after_the_step, **more)

    monkeypatch.setattr(train, "loop", pressed)
    status, out, err = run(*line, "--out", halved)
    assert status == 130
    assert f"{command} train --out {halved} --resume" in err and "step 7" in err
    monkeypatch.setattr(train, "loop", loop)
    assert len(log_of(halved)) == 8
    assert load_checkpoint(halved).training["step"] == 7
    device = ["--device", "cpu"] if command == "torchgpt" else []
    status, out, err = run("train", "--out", halved, "--resume", *device)
    assert (status, err.startswith("error")) == (0, False)
    assert same_bits(whole, halved) and same_bits(whole / "best", halved / "best")
    assert log_of(whole) == log_of(halved)
    assert (whole / "run.json").read_bytes() == (halved / "run.json").read_bytes()


# the process kills itself at the n-th call of a function of the save
KILLED = """
import os, signal, sys
from npgpt.cli.main import main
where, place = sys.argv[1], int(sys.argv[2])
calls = 0
if "rename" in where:
    replace = os.replace
    def deadly(aside, file):
        global calls
        calls += "safetensors" in str(file)
        if calls == place and where == "before the rename":
            os.kill(os.getpid(), signal.SIGKILL)
        replace(aside, file)
        if calls == place:
            os.kill(os.getpid(), signal.SIGKILL)
    os.replace = deadly
elif where == "while writing":
    import safetensors.numpy
    whole = safetensors.numpy.save_file
    def half(tensors, file, metadata=None):
        global calls
        calls += 1
        whole(tensors, file, metadata)
        if calls == place:
            os.truncate(file, os.path.getsize(file) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    safetensors.numpy.save_file = half
elif where == "before a step":
    batches = loop.batches
    def deadly(*arguments, **more):
        batch = batches(*arguments, **more)
        def next_batch(step):
            if step == place:
                os.kill(os.getpid(), signal.SIGKILL)
            return batch(step)
        return next_batch
    loop.batches = deadly
main(sys.argv[3:])
"""
# a run saves best/ at step 4 (two files), itself at 5 (two), best/ at 8, itself at 10
PLACES = [
    ("before a step", 3),  # before the first save of any kind
    ("before a step", 5),  # best/ is there, the run has not saved
    ("while writing", 3), ("before the rename", 3), ("after the rename", 3),
    ("while writing", 4), ("while writing", 7), ("before the rename", 8),
    ("after the rename", 7),
    ("before the rename", 12),  # the last save of all, between its two files
]
kills = pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The run that nothing interrupts."""
    from npgpt.cli.main import main
    from npgpt.runs import train as loop
    from parity_tests.runs.run_checks import write_corpus

    path = tmp_path_factory.mktemp("unbroken")
    corpus = write_corpus(path / "corpus.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_run", lambda path: None)
        line = ["train", *flags(corpus=corpus, dropout=0.1), "--out", str(path / "run")]
        assert main(line) == 0
    return corpus, path / "run"


@kills
@pytest.mark.parametrize(("where", "place"), PLACES)
def test_killed_in_a_save_and_resumed_gives_the_same_bits(
        tmp_path, npgpt, unbroken, where, place):
    corpus, whole = unbroken
    killed = tmp_path / "killed"
    line = ["train", *flags(corpus=corpus, dropout=0.1), "--out", killed]
    assert python(KILLED, where, place, *line).returncode == -signal.SIGKILL
    status, _, err = npgpt("train", "--out", killed, "--resume")
    assert status == 0, err
    assert same_bits(whole, killed)
    assert log_of(whole) == log_of(killed)
    assert not list(tmp_path.rglob(".*")), "a file that was being written is still there"


@kills
@pytest.mark.acceptance
@pytest.mark.parametrize(("where", "place"), [PLACES[1], PLACES[7]])
def test_a_llama_that_is_killed_goes_on_with_the_same_bits(
        tmp_path, npgpt, corpus, where, place):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    line = ["train", *flags(corpus=corpus, dropout=0.1), "--model", "llama", "--kv-heads", "1"]
    assert npgpt(*line, "--out", whole)[0] == 0
    done = python(KILLED, where, place, *line, "--out", killed)
    assert done.returncode == -signal.SIGKILL
    assert npgpt("train", "--out", killed, "--resume")[0] == 0
    assert same_bits(whole, killed)
    assert log_of(whole) == log_of(killed)


@kills
def test_killed_while_the_directory_is_made_leaves_no_run(tmp_path, npgpt, corpus):
    killed = tmp_path / "killed"
    code = """
import os, signal, sys
from npgpt.cli.main import main
os.rename = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""
    line = ["train", *flags(corpus=corpus), "--out", killed]
    assert python(code, *line).returncode == -signal.SIGKILL
    assert not killed.exists()
    assert npgpt(*line)[0] == 0


def test_a_resumed_run_knows_its_best(tmp_path, npgpt, corpus, monkeypatch):
    losses = iter([3.0, 2.0, 2.5, 2.4, 0.0, 0.1])
    monkeypatch.setattr("npgpt.runs.train.evaluate", lambda *arguments: next(losses))
    run = tmp_path / "run"
    assert npgpt("train", *flags(corpus=corpus, evaluate_every=2, steps=4), "--out", run)[0] == 0
    for steps, best, at in ((6, 2.0, 2), (8, 0.0, 8), (10, 0.0, 8)):
        assert npgpt("train", "--out", run, "--resume", "--steps", steps)[0] == 0
        found = [line["validation_loss"] for line in log_of(run)[1:] if "validation_loss" in line]
        assert load_checkpoint(run).training["best"] == min(found) == best
        assert load_checkpoint(run / "best").training["step"] == at


def test_the_log_is_on_the_disk_before_a_save(tmp_path, npgpt, corpus, monkeypatch):
    from npgpt.runs import adapter_run as loop

    flushed, save = [0], loop.save_checkpoint

    def fsync(handle):
        if os.fstat(handle).st_ino == inode(tmp_path / "run" / "log.jsonl"):
            flushed[0] = os.fstat(handle).st_size

    def checked(path, *arguments, training, **more):
        assert flushed[0] == (tmp_path / "run" / "log.jsonl").stat().st_size > 0
        assert log_of(tmp_path / "run")[-1]["step"] == training["step"]
        save(path, *arguments, training=training, **more)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(loop, "save_checkpoint", checked)
    status, _, err = npgpt("train", *flags(corpus=corpus), "--out", tmp_path / "run")
    assert status == 0, err


@pytest.mark.parametrize(("first", "then"), [
    ("npgpt", "torchgpt"), ("torchgpt", "npgpt"), ("npgpt", "by-hand"), ("by-hand", "npgpt")])
def test_train_in_one_half_resume_in_the_other(
        tmp_path, npgpt, torchgpt, corpus, first, then):
    """In float64, to rounding, whichever half takes which steps."""
    import numpy as np

    from npgpt.tree import tree_leaves

    def train(half, *line):
        more = {"npgpt": [], "torchgpt": ["--device", "cpu", "--shared-dropout"],
                "by-hand": ["--device", "cpu", "--by-hand"]}[half]
        command = npgpt if half == "npgpt" else torchgpt
        status, _, err = command("train", *line, *more)
        assert status == 0, err

    settings = flags(corpus=corpus, dropout=0.1, dtype="float64")
    train("npgpt", *settings, "--out", tmp_path / "whole")
    train(first, *flags(corpus=corpus, dropout=0.1, dtype="float64", steps=6),
          "--out", tmp_path / "moved")
    train(then, "--out", tmp_path / "moved", "--resume", "--steps", "12")
    whole, moved = (load_checkpoint(tmp_path / name) for name in ("whole", "moved"))
    assert whole.training["step"] == moved.training["step"] == 12
    for kind in ("params", "optimizer"):
        pairs = zip(tree_leaves(whole.training[kind]), tree_leaves(moved.training[kind]),
                    strict=True)
        for (name, a), (other, b) in pairs:
            assert name == other
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-11, err_msg=name)


def test_a_duet_goes_on_in_either_half_with_its_masks(
        tmp_path, npgpt, torchgpt, corpus, monkeypatch):
    import numpy as np

    from npgpt.tree import tree_leaves

    monkeypatch.setattr("npgpt.runs.duet.draw_duet", lambda *given: None)
    line = flags(corpus=corpus, dropout=0.2, dtype="float64", steps=2, evaluate_every=None,
                 decay_steps=None)
    assert npgpt("duet", *line, "--device", "cpu", "--out", tmp_path / "one")[0] == 0
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    found = []
    for command, place, more in ((npgpt, "one", []), (torchgpt, "two", ["--device", "cpu"])):
        path = tmp_path / place
        assert command("train", "--out", path, "--resume", "--steps", 4, *more)[0] == 0
        found.append(load_checkpoint(path).params)
    for (name, a), (_, b) in zip(tree_leaves(found[0]), tree_leaves(found[1])):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11, err_msg=name)


def test_a_run_in_bfloat16_goes_on_by_hand_in_float32(tmp_path, npgpt, torchgpt, corpus):
    from npgpt.tree import tree_leaves

    run, cpu = tmp_path / "run", ["--device", "cpu"]
    line = flags(corpus=corpus, dtype="bfloat16", steps=2)
    assert torchgpt("train", *line, *cpu, "--out", run)[0] == 0
    for command, more, steps in ((npgpt, [], 3), (torchgpt, [*cpu, "--by-hand"], 4),
                                 (torchgpt, cpu, 5)):
        status, _, err = command("train", "--out", run, "--resume", "--steps", steps, *more)
        assert status == 0, err
        found = load_checkpoint(run).training
        assert found["step"] == steps
        assert {array.dtype.name for _, array in tree_leaves(found["params"])} == {"float32"}


def test_a_run_may_be_lengthened_and_keeps_its_schedule(tmp_path, npgpt, corpus):
    line = flags(corpus=corpus, steps=6, decay_steps=None)
    assert npgpt("train", *line, "--out", tmp_path / "run")[0] == 0
    status, out, _ = npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 9, "--json")
    assert status == 0 and json.loads(out)["step"] == 9
    rates = [line["learning_rate"] for line in log_of(tmp_path / "run")[1:]]
    assert rates[6:] == [1e-4] * 3 and rates[5] > 1e-4


@pytest.mark.parametrize(("arguments", "words"), [
    (["--learning-rate", "1"], "--learning-rate cannot be given with --resume"),
    (["--corpus", "python-docs", "--seed", "2"], "--corpus, --seed cannot be given"),
    ([], "already done its 12 steps"),
])
def test_what_a_resume_refuses(tmp_path, npgpt, unbroken, arguments, words):
    shutil.copytree(unbroken[1], tmp_path / "run")
    before = (tmp_path / "run" / "training.safetensors").read_bytes()
    status, _, err = npgpt("train", "--out", tmp_path / "run", "--resume", *arguments)
    assert status == 2 and words in err and err.count("\n") == 1
    assert (tmp_path / "run" / "training.safetensors").read_bytes() == before


def test_other_data_is_refused(tmp_path, npgpt, corpus):
    assert npgpt("train", *flags(corpus=corpus, steps=6), "--out", tmp_path / "run")[0] == 0
    corpus.write_text(corpus.read_text() + "!")
    status, _, err = npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 12)
    assert status == 2 and "not the one" in err and "SHA-256" in err
    corpus.unlink()
    status, _, err = npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 12)
    assert status == 2 and err.count("\n") == 1


def test_another_tokenizer_of_the_same_size_is_named(tmp_path, npgpt, unbroken):
    from npgpt.text import CharacterTokenizer, load_tokenizer

    shutil.copytree(unbroken[1], tmp_path / "run")
    file = tmp_path / "run" / "tokenizer.json"
    size = load_tokenizer(file).vocab_size
    text = unbroken[0].read_text()
    other = CharacterTokenizer([*sorted({*text, "\n"}, reverse=True)])
    assert other.vocab_size == size
    other.save(file)
    status, _, err = npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 13)
    assert status == 2 and f"{file}: it gives other ids" in err


def test_a_pattern_and_a_name_mean_the_same_elsewhere(tmp_path, npgpt, monkeypatch):
    from npgpt.runs.data import from_anywhere, prepared_directory
    from parity_tests.runs.run_checks import write_corpus

    notes, elsewhere = tmp_path / "[1] notes", tmp_path / "elsewhere"
    notes.mkdir()
    elsewhere.mkdir()
    write_corpus(notes / "one.txt")
    monkeypatch.chdir(notes)
    run = tmp_path / "run"
    assert npgpt("train", *flags(corpus="*.txt", steps=2), "--out", run)[0] == 0
    monkeypatch.chdir(elsewhere)
    status, _, err = npgpt("train", "--out", run, "--resume", "--steps", 3)
    assert status == 0, err
    for name in ("python-docs", "stories:1MB"):  # load_corpus opens no file of this name
        (elsewhere / name).mkdir()
        (elsewhere / name / "manifest.json").write_text(FORMAT)
        assert is_prepared(name)
        assert from_anywhere(name) == name and prepared_directory(name) is None


def inode(file):
    """A new one each time the file is replaced; None where there is no file."""
    return file.stat().st_ino if file.exists() else None


@pytest.mark.acceptance
def test_a_hundred_kills(tmp_path, npgpt, unbroken):
    """Killed from outside at 100 moments of a run that saves every 5 steps."""
    import random
    import subprocess
    import sys
    import time

    corpus, _ = unbroken
    settings = flags(corpus=corpus, dropout=0.1, steps=400, decay_steps=400, evaluate_every=20)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert npgpt("train", *settings, "--out", whole)[0] == 0
    code = ("import sys; import npgpt.runs.train as loop; loop.draw_run = lambda path: None\n"
            "from npgpt.cli.main import main; sys.exit(main(sys.argv[1:]))")
    draw, kills, runs = random.Random(1), 0, 0
    while kills < 100:
        line = ["train", "--out", str(killed), "--resume"] if (killed / "run.json").exists() else [
            "train", *settings, "--out", str(killed)]
        with open(tmp_path / "err", "w") as err:
            process = subprocess.Popen([sys.executable, "-c", code, *line],
                                       stdout=subprocess.DEVNULL, stderr=err)
        # most kills fall into steps and saves, some into the start
        before = inode(killed / "log.jsonl")
        while draw.random() < 0.99 and process.poll() is None and (
                inode(killed / "log.jsonl") == before):
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 0.5))
        alive = process.poll() is None
        process.kill()
        process.wait()
        kills += alive
        if not alive:
            # killed between the last save and the end, it has nothing left to do
            said = (tmp_path / "err").read_text()
            assert process.returncode == 0 or "already done its 400 steps" in said, said
            assert same_bits(whole, killed) and log_of(whole) == log_of(killed)
            shutil.rmtree(killed)
            runs += 1
    if (killed / "run.json").exists():
        status, _, said = npgpt("train", "--out", killed, "--resume")
        assert status == 0 or "already done its 400 steps" in said, said
        assert same_bits(whole, killed)
    print(f"{kills} kills over {runs + 1} runs")
