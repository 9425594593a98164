"""A message that gives a command gives one that works on what caused it."""

import re
import shlex
import shutil

import pytest

from npgpt.runs.checkpoint import saved_step
from parity_tests.runs.run_checks import flags, log_of

pytestmark = pytest.mark.usefixtures("no_pictures")
both = pytest.mark.parametrize("command", ["npgpt", "torchgpt"])


@pytest.fixture
def follow(npgpt, torchgpt):
    """Run the one command line in a text -> status, stdout, stderr."""

    def run(text, more=()):
        found = re.findall(r"(?:^|\s)((?:npgpt|torchgpt) (?:train|sample)\b.*)$", text, re.M)
        assert len(found) == 1, text
        program, *line = shlex.split(found[0])
        more = [*more, *(["--device", "cpu"] if program == "torchgpt" else [])]
        return {"npgpt": npgpt, "torchgpt": torchgpt}[program](*line, *more)

    return run


@pytest.fixture
def stops(monkeypatch):
    """Both trainers: a Ctrl-C in the step of this number."""
    import signal

    from npgpt.training import Trainer
    from torchgpt.training.module_trainer import ModuleTrainer

    def after(number):
        taken = []
        for kind in (Trainer, ModuleTrainer):
            def step(self, *given, inner=kind.step):
                taken.append(1)
                if len(taken) == number:
                    signal.raise_signal(signal.SIGINT)
                return inner(self, *given)

            monkeypatch.setattr(kind, "step", step)

    yield after


@both
def test_after_training_a_sample(request, tmp_path, corpus, command, follow):
    run = request.getfixturevalue(command)
    status, out, _ = run("train", *flags(corpus=corpus, steps=1), "--out", tmp_path / "a b")
    assert status == 0 and follow(out, ["--tokens", 2])[0] == 0


@both
def test_after_a_stop_the_rest(request, tmp_path, corpus, command, follow, stops):
    """Also of a run that is resumed with more steps and another decay."""
    run, out = request.getfixturevalue(command), tmp_path / "it's"
    stops(3)
    status, _, err = run("train", *flags(corpus=corpus, steps=5), "--out", out)
    assert status == 130 and saved_step(out) == 3
    assert follow(err)[0] == 0 and saved_step(out) == 5
    stops(2)
    line = ["train", "--out", out, "--resume", "--steps", 9, "--decay-steps", 8, "--save-every", 4]
    status, _, err = run(*line)
    assert status == 130 and saved_step(out) == 7
    assert follow(err)[0] == 0 and saved_step(out) == 9
    rates = [entry["learning_rate"] for entry in log_of(out)[1:]]
    assert rates[6] > rates[7] > rates[8] == pytest.approx(1e-4)


def test_after_a_stopped_duet_numpy_alone(npgpt, tmp_path, corpus, follow, stops):
    stops(1)
    line = flags(corpus=corpus, steps=3, decay_steps=None, evaluate_every=None)
    status, _, err = npgpt("duet", *line, "--out", tmp_path / "run", "--device", "cpu")
    assert status == 130 and saved_step(tmp_path / "run") == 1
    assert follow(err)[0] == 0 and saved_step(tmp_path / "run") == 3


@both
def test_a_directory_of_a_run_that_has_done_its_steps(request, tmp_path, corpus, command, follow):
    run, out = request.getfixturevalue(command), tmp_path / "$run"
    line = ["train", *flags(corpus=corpus, steps=2), "--out", out]
    assert run(*line)[0] == 0
    status, _, err = run(*line)
    assert status == 2 and follow(err)[0] == 0 and saved_step(out) == 4
    status, _, err = run("train", "--out", out, "--resume", "--steps", 4)
    assert status == 2 and "give more with --steps" in err
    assert run("train", "--out", out, "--resume", "--steps", 5)[0] == 0


@both
def test_a_directory_of_a_run_that_has_not(
        request, tmp_path, corpus, command, follow, stops):
    run, out = request.getfixturevalue(command), tmp_path / "run"
    line = ["train", *flags(corpus=corpus, steps=4), "--out", out]
    stops(1)
    assert run(*line)[0] == 130
    status, _, err = run(*line)
    assert status == 2 and follow(err)[0] == 0 and saved_step(out) == 4


def test_a_directory_of_other_files_is_not_to_be_continued(npgpt, tmp_path, corpus, trained):
    for name, content in (("letter.txt", "dear"), ("run.json", "{"), ("run.json", "[]"),
                          ("run.json", '{"settings": {"steps": "x"}}')):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        (out / name).write_text(content)
        status, _, err = npgpt("train", *flags(corpus=corpus), "--out", out)
        assert status == 2 and "choose another --out" in err and "--resume" not in err
    assert npgpt("train", *flags(corpus=corpus, steps=1), "--out", tmp_path / "other")[0] == 0


@both
def test_steps_at_the_final_rate_are_announced(request, tmp_path, corpus, command):
    run, said = request.getfixturevalue(command), "run at the final learning rate"
    made = tmp_path / "made"
    assert run("train", *flags(corpus=corpus, steps=3, decay_steps=3), "--out", made)[0] == 0
    status, out, err = run("train", "--out", shutil.copytree(made, tmp_path / "one"), "--resume",
                           "--steps", 6, "--json")
    assert status == 0 and said not in out
    assert "steps 4 to 6 run at the final learning rate, 0.0001: --decay-steps 6 would" in err
    rates = [entry["learning_rate"] for entry in log_of(tmp_path / "one")[1:]]
    assert rates[3:] == [pytest.approx(1e-4)] * 3
    status, _, err = run("train", "--out", shutil.copytree(made, tmp_path / "two"), "--resume",
                         "--steps", 6, "--decay-steps", 6)
    assert status == 0 and said not in err
    stretched = [entry["learning_rate"] for entry in log_of(tmp_path / "two")[1:]]
    assert stretched[:3] == rates[:3] and stretched[3] > stretched[4] > stretched[5] > 1e-4


def test_what_diverged_is_trained_at_a_lower_rate(npgpt, tmp_path, corpus):
    line = {"corpus": corpus, "steps": 2}
    status, _, err = npgpt("train", *flags(**line, learning_rate=1e30, clip=1e30),
                           "--out", tmp_path / "one")
    assert status == 1 and "Start anew with a lower --learning-rate or --clip" in err
    for lower in ({"learning_rate": 1e-3, "clip": 1e30}, {"learning_rate": 1e-3, "clip": 1}):
        out = tmp_path / f"clipped at {lower['clip']}"
        assert npgpt("train", *flags(**line, **lower), "--out", out)[0] == 0


@pytest.mark.parametrize("line", [
    "nosuch", "train --stepz 3", "sample", "tokenizer train", "bench step --nosuch 1"])
def test_the_help_that_a_mistake_names(npgpt, line):
    _, _, err = npgpt(*line.split())
    program, *words = re.search(r"see (.*)$", err.strip())[1].split()
    status, out, _ = npgpt(*words)
    assert program == "npgpt" and status == 0 and out.startswith("Usage: ")
