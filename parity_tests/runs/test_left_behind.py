"""What a run that is killed, cut off or never started leaves behind, and what it must not."""

import os
import shutil
import signal

import pytest

from npgpt.files import locked, name_beside
from npgpt.runs import train as loop
from npgpt.runs.checkpoint import load_checkpoint, saved_step
from parity_tests.runs.run_checks import flags, log_of, python, same_bits, write_corpus

posix = pytest.mark.skipif(os.name != "posix", reason="kills, and removes open files, as POSIX can")
BOTH = pytest.mark.parametrize("command, more", [
    ("npgpt", []), ("torchgpt", ["--device", "cpu"]),
    ("torchgpt", ["--device", "cpu", "--by-hand"])], ids=["numpy", "torch", "torch-by-hand"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished run without its picture, and its corpus."""
    from npgpt.cli.main import main

    path = tmp_path_factory.mktemp("whole")
    corpus = write_corpus(path / "corpus.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_run", lambda path: None)
        assert main(["train", *flags(corpus=corpus), "--out", str(path / "run")]) == 0
    return path / "run", corpus


def hidden(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob(".*"))


# a directory that goes away while it is trained


def losing(monkeypatch, at, lose):
    """At this step, `lose` is called, before anything of the step is logged or saved."""
    real = loop.loop

    def looped(*arguments, batch, **more):
        def batch_and_loss(step):
            if step == at:
                lose()
            return batch(step)

        return real(*arguments, batch=batch_and_loss, **more)

    monkeypatch.setattr(loop, "loop", looped)


@posix
@pytest.mark.parametrize("names, words", [
    (None, "has been removed while it was trained"),
    (["run.json"], "has lost run.json while"), (["tokenizer.json"], "has lost tokenizer.json"),
    (["config.json", "log.jsonl"], "has lost config.json, log.jsonl"),
], ids=str)
@pytest.mark.parametrize("at", [3, 5, 11])  # best/ is saved at 4, the run at 5, both at 12
@BOTH
@pytest.mark.usefixtures("no_pictures")
def test_it_is_said_and_nothing_is_made_anew(
        request, tmp_path, corpus, monkeypatch, command, more, at, names, words):
    run = tmp_path / "run"

    def lose():
        if names is None:
            shutil.rmtree(run)
        for name in names or ():
            (run / name).unlink()

    losing(monkeypatch, at, lose)
    status, out, err = request.getfixturevalue(command)(
        "train", *flags(corpus=corpus), "--out", run, *more)
    assert status == 2 and out == ""
    assert err.splitlines()[-1] == (
        f"error: {run} {words.split(' while')[0]} while it was trained: nothing is saved there"
        " any more; start a new run")
    if names is None:
        assert not run.exists()
    else:
        assert not any((run / name).exists() for name in names)
        assert saved_step(run) == {3: None, 5: None, 11: 10}[at]


@posix
@pytest.mark.usefixtures("no_pictures")
def test_a_duet_s_directory_too(tmp_path, npgpt, corpus, monkeypatch):
    monkeypatch.setattr("npgpt.runs.duet.draw_duet", lambda *given: None)
    run, batches = tmp_path / "run", loop.batches

    def losing_batches(*arguments):
        batch = batches(*arguments)

        def next_batch(step):
            if step == 2:
                shutil.rmtree(run)
            return batch(step)

        return next_batch

    monkeypatch.setattr("npgpt.runs.duet.batches", losing_batches)
    line = flags(corpus=corpus, steps=3, decay_steps=None, evaluate_every=None)
    status, _, err = npgpt("duet", *line, "--device", "cpu", "--out", run)
    assert status == 2 and "has been removed while it was trained" in err and not run.exists()


# a training that cannot start


def cannot(*arguments, **more):
    raise MemoryError("none left")


@pytest.mark.parametrize("there", [False, True], ids=["new", "an empty directory"])
@pytest.mark.parametrize("where", ["npgpt.runs.train.init", "npgpt.runs.train.evaluate"])
@BOTH
@pytest.mark.usefixtures("no_pictures")
def test_its_name_is_free_again(
        request, tmp_path, corpus, monkeypatch, command, more, where, there):
    run = tmp_path / "run"
    if there:
        run.mkdir()
    train = request.getfixturevalue(command)
    line = ["train", *flags(corpus=corpus, steps=2), "--out", run, *more]
    with monkeypatch.context() as patch:
        patch.setattr(where, cannot)
        status, _, err = train(*line)
        assert status == 2 and "not enough memory (none left)" in err
        assert run.exists() == there and not list(tmp_path.rglob("*.json*"))
    assert train(*line)[0] == 0 and saved_step(run) == 2


@pytest.mark.usefixtures("no_pictures")
def test_one_that_has_taken_a_step_is_kept(tmp_path, npgpt, corpus, monkeypatch):
    run = tmp_path / "run"
    losing(monkeypatch, 3, cannot)
    assert npgpt("train", *flags(corpus=corpus), "--out", run)[0] == 2
    assert [line["step"] for line in log_of(run)] == [0, 1, 2] and (run / "run.json").exists()


@pytest.mark.usefixtures("no_pictures")
def test_a_resumed_one_is_kept(tmp_path, npgpt, whole, monkeypatch):
    run = shutil.copytree(whole[0], tmp_path / "run")
    before = sorted(run.rglob("*"))
    monkeypatch.setattr("npgpt.runs.train.init", cannot)
    monkeypatch.setattr("npgpt.training.Trainer.__init__", cannot)
    assert npgpt("train", "--out", run, "--resume", "--steps", 20)[0] == 2
    assert sorted(run.rglob("*")) == before


@posix
@pytest.mark.usefixtures("no_pictures")
def test_one_that_another_process_goes_on_with_is_kept(tmp_path, npgpt, corpus, monkeypatch):
    run = tmp_path / "run"

    def resumed(*arguments, **more):
        lock = locked(run)
        lock.__enter__()
        request.append(lock)
        raise MemoryError("none left")

    request = []
    monkeypatch.setattr("npgpt.runs.train.init", resumed)
    assert npgpt("train", *flags(corpus=corpus), "--out", run)[0] == 2
    request[0].__exit__(None, None, None)
    assert (run / "run.json").exists()


# what a killed writer has set aside


@posix
@pytest.mark.usefixtures("no_pictures")
def test_what_was_set_aside_is_swept_and_nothing_else(tmp_path, npgpt, whole):
    run = shutil.copytree(whole[0], tmp_path / "run")
    for name in ("model.safetensors", "training.safetensors", "log.jsonl", "loss.png"):
        name_beside(run / name).write_text("half of it")
        name_beside(run / "best" / name).write_text("half of it")
    for path in (run / "best", run):
        made = name_beside(path)
        made.mkdir()
        (made / "config.json").write_text("{}")
        name_beside(made / "tokenizer.json").write_text("{")
    # not ours, though it may look so
    ours_not = [run / ".notes", run / ".model.safetensors.12", run / ".model.safetensors.1234567g",
                run / ".letter.12345678", tmp_path / ".other.12345678"]
    for file in ours_not:
        file.write_text("dear")
    filled = name_beside(run / "best")
    filled.mkdir()
    (filled / "letter.txt").write_text("dear")
    (tmp_path / "elsewhere").mkdir()
    link = name_beside(run / "best")
    link.symlink_to(tmp_path / "elsewhere")
    kept = {*ours_not, filled, link}
    assert len(hidden(tmp_path)) == 8 + 2 + 2 + len(kept)
    assert npgpt("train", "--out", run, "--resume", "--steps", 13)[0] == 0
    assert hidden(tmp_path) == sorted(str(file.relative_to(tmp_path)) for file in kept)
    assert (filled / "letter.txt").read_text() == "dear"


@posix
def test_killed_while_best_is_made(tmp_path, npgpt, whole):
    """Its directory, set aside with its files, goes when the run goes on."""
    expected, corpus = whole
    code = """
import os, signal, sys
from npgpt.cli.main import main
rename = os.rename
def deadly(aside, path):
    if str(path).endswith("best"):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(aside, path)
os.rename = deadly
main(sys.argv[1:])
"""
    run = tmp_path / "run"
    killed = python(code, "train", *flags(corpus=corpus), "--out", run)
    assert killed.returncode == -signal.SIGKILL
    assert len([name for name in hidden(run) if name.startswith(".best.")]) > 0
    assert npgpt("train", "--out", run, "--resume")[0] == 0
    assert hidden(tmp_path) == [] and same_bits(run, expected)
    assert load_checkpoint(run / "best").training["step"] == load_checkpoint(
        expected / "best").training["step"]


# the picture


def test_a_finished_run_without_its_picture_gets_it(tmp_path, npgpt, whole):
    run = shutil.copytree(whole[0], tmp_path / "run")
    line = ["train", "--out", run, "--resume"]
    assert not (run / "loss.png").exists()
    status, _, err = npgpt(*line)
    assert status == 2 and "already done its 12 steps, and its loss.png is drawn now:" in err
    picture = (run / "loss.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    os.utime(run / "log.jsonl", ns=(1, (run / "loss.png").stat().st_mtime_ns))
    status, _, err = npgpt(*line)
    assert status == 2 and "already done its 12 steps: give more" in err
    # one that is older than the log is of an earlier part
    (run / "loss.png").write_bytes(b"old")
    os.utime(run / "loss.png", ns=(1, 1))
    assert npgpt(*line)[0] == 2 and (run / "loss.png").read_bytes() == picture
