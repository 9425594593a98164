"""What is written is whole, outlives a power cut and takes no other file's place."""

import os
from types import SimpleNamespace

import pytest

from npgpt.errors import InputError
from npgpt.files import write_atomically
from npgpt.runs.checkpoint import create_run, load_checkpoint, save_checkpoint
from npgpt.text.prepare.token_files import write_tokens
from npgpt.training import adamw_init
from npgpt.tree import tree_map
from parity_tests.runs.checkpoint.checkpoint_checks import make


@pytest.mark.skipif(os.name != "posix", reason="sets the umask of POSIX")
def test_weights_are_as_readable_as_the_umask_allows(tmp_path):
    config, params, _ = make(True)
    for umask in (0o077, 0o022):
        path, before = tmp_path / f"{umask}", os.umask(umask)
        try:
            save_checkpoint(path, config, params)
        finally:
            os.umask(before)
        modes = {file.name: file.stat().st_mode & 0o777 for file in [path, *path.iterdir()]}
        assert modes == {path.name: 0o777 & ~umask, "config.json": 0o666 & ~umask,
                         "model.safetensors": 0o666 & ~umask}


def test_nothing_is_written_over_another_model(saved):
    path, _ = saved
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    config, params, _ = make(True, channels=16)
    with pytest.raises(InputError, match="other sizes"):
        save_checkpoint(path, config, params)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


def test_a_directory_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").write_text("dear")
    config, params, _ = make(True)
    for write in (lambda run: save_checkpoint(run, config, params),
                  lambda run: create_run(run, config)):
        with pytest.raises(InputError):
            write(tmp_path / "run")
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["letter.txt"]


@pytest.fixture
def disk(monkeypatch):
    """What a power cut would lose: names that were given to data not yet
    flushed, and directories whose names are not. Names in their order."""
    flushed, names = {}, []
    unflushed_data, unflushed_names = [], set()
    fsync, calls = os.fsync, {"replace": os.replace, "rename": os.rename}

    def flush(handle):
        fsync(handle)
        about = os.fstat(handle)
        flushed[about.st_ino] = about.st_size
        unflushed_names.discard(about.st_ino)

    def moving(call):
        def move(old, new):
            about = os.stat(old)
            if os.path.isfile(old) and flushed.get(about.st_ino) != about.st_size:
                unflushed_data.append(str(new))
            call(old, new)
            names.append(os.path.basename(new))
            unflushed_names.add(os.stat(os.path.dirname(new)).st_ino)

        return move

    monkeypatch.setattr(os, "fsync", flush)
    for name, call in calls.items():
        monkeypatch.setattr(os, name, moving(call))
    return SimpleNamespace(names=names, lost=lambda: (unflushed_data, unflushed_names))


@pytest.mark.skipif(os.name != "posix", reason="flushes directories as POSIX does")
@pytest.mark.parametrize("there", [False, True])
def test_what_is_written_outlives_a_power_cut(tmp_path, disk, there):
    config, params, tokenizer = make(True)
    run = tmp_path / "run"
    if there:
        run.mkdir()
    create_run(run, config, tokenizer, {"steps": 1})
    # a directory that is there becomes a run by its last name
    assert disk.names[-1] == ("config.json" if there else "run")
    assert disk.lost() == ([], set())
    state = {"step": 1, "best": None, "optimizer": adamw_init(params)}
    for _ in range(2):
        save_checkpoint(run, config, params, training=state)
        # steps that the training state does not know of are taken again
        assert disk.names[-2:] == ["model.safetensors", "training.safetensors"]
        assert disk.lost() == ([], set())
    for write in (lambda: write_atomically(tmp_path / "text", "new"),
                  lambda: write_tokens(tmp_path / "ids", [[1, 2]], 3)):
        write()
        assert disk.lost() == ([], set())


def test_a_save_that_fails_leaves_the_old_state(saved, monkeypatch):
    """A full disk: the aside file is taken away and the old one stands."""
    path, params = saved
    before = {file.name: file.read_bytes() for file in path.iterdir()}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, load_checkpoint(path).config, tree_map(lambda a: a + 1, params),
                        training={"step": 2, "best": None, "optimizer": adamw_init(params)})
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
