"""A run has one writer, and its files keep to the umask."""

import os
import shutil

import pytest

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.files import locked
from npgpt.runs import train as loop
from npgpt.runs import trainers
from npgpt.runs.checkpoint import create_run, read_config, saved_step
from parity_tests.runs.run_checks import flags, refused

locks = pytest.mark.skipif(os.name != "posix", reason="locks a file as only POSIX can")


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_another_took_further_is_not_taken_back(tmp_path, npgpt, trained, monkeypatch):
    """Between its being read and its being continued."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    initial_state = trainers.initial_state
    line = ["train", "--out", run, "--resume", "--steps"]

    def meanwhile(*arguments):
        monkeypatch.setattr(trainers, "initial_state", initial_state)
        assert npgpt(*line, 9)[0] == 0
        return initial_state(*arguments)

    monkeypatch.setattr(trainers, "initial_state", meanwhile)
    refused(npgpt(*line, 4), "trained on meanwhile")
    assert saved_step(run) == 9


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_is_being_made_is_taken(tmp_path):
    (tmp_path / ".new").mkdir()
    with pytest.raises(InputError, match="holds another run"):
        create_run(tmp_path, Config(7))
    assert [p.name for p in tmp_path.iterdir()] == [".new"]


@pytest.mark.usefixtures("no_pictures")
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
