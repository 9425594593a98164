"""An interrupted run goes on to the same bytes; a directory has one writer."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from npgpt.cli.main import main
from npgpt.errors import InputError
from npgpt.text.corpora.stories import stories
from npgpt.text.prepare import pipeline
from npgpt.text.prepare.pipeline import prepare
from npgpt.text.prepare.prepared import open_prepared
from npgpt.text.prepare.settings import Limits, Settings
from parity_tests.text.prepare.prepare_checks import (
    COMMAND,
    DROPPED,
    Killed,
    check_prepared,
    contents,
    kill_and_go_on,
    make_mixed,
    start,
)


def test_stopped_before_any_write_it_goes_on_to_the_same_bytes(
    tmp_path, small_portions, monkeypatch
):
    """Every file is renamed into place: stop before each rename in turn, and go on."""
    settings = Settings("stories:60kB", tokenizer="words")
    prepare(settings, tmp_path / "whole")
    renames = 0
    rename = os.replace

    def stopping(source, target):
        nonlocal renames
        renames += 1
        if renames == last:
            raise Killed
        rename(source, target)

    monkeypatch.setattr(os, "replace", stopping)
    last = 0
    prepare(settings, tmp_path / "counted")
    total = renames
    assert total > 30
    for moment in [*range(1, total - 1, 4), total - 1, total]:
        out = tmp_path / str(moment)
        renames, last = 0, moment
        with pytest.raises(Killed):
            prepare(settings, out)
        with pytest.raises(InputError, match="not ready"):
            open_prepared(out)
        last = 0
        prepare(settings, out)
        assert contents(out) == contents(tmp_path / "whole"), moment


@pytest.mark.parametrize(("step", "count"), [("decide", 2), ("finish", 8)])
def test_half_written_portions_are_made_again(tmp_path, small_portions, monkeypatch, step, count):
    """Damage each file of an unfinished run in turn, and go on."""
    settings = Settings("stories:40kB")
    prepare(settings, tmp_path / "whole")

    def stop(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, step, stop)
        with pytest.raises(Killed):
            prepare(settings, tmp_path / "stopped")
    names = sorted(p.relative_to(tmp_path) for p in (tmp_path / "stopped").rglob("*.*"))
    files = [path for path in names if path.name.startswith(("000001", "verdicts"))]
    assert len(files) == count
    for number, path in enumerate(files):
        shutil.copytree(tmp_path / "stopped", tmp_path / "out")
        damaged = tmp_path / "out" / path.relative_to("stopped")
        if number % 3 == 2:
            damaged.unlink()
        else:
            damaged.write_bytes(damaged.read_bytes()[: -20 if number % 3 else 0])
        prepare(settings, tmp_path / "out")
        assert contents(tmp_path / "out") == contents(tmp_path / "whole"), path
        shutil.rmtree(tmp_path / "out")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
def test_killed_at_random_moments_it_ends_with_the_same_bytes(tmp_path):
    settings = Settings("stories:2MB")
    prepare(settings, tmp_path / "whole")
    out = tmp_path / "out"
    assert kill_and_go_on(settings, out, 3, 2.0, random.Random(0))
    process = start(settings.source, "--out", out, "--workers", "1")
    assert process.wait() == 0, process.stderr.read()
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal that only POSIX has")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_how_to_go_on(tmp_path, workers):
    process = start("stories:50MB", "--out", tmp_path / "out", "--workers", workers)
    while not list(tmp_path.glob("out/.work/cleaned/*.npz")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == b"stopped; the same command goes on from here"


@pytest.mark.acceptance
def test_a_large_mixed_folder_in_little_memory_killed_and_run_again(tmp_path):
    """50 MB: as above, at size; the peak of all processes together below 600 MB."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    make_mixed(folder, 50_000_000)
    settings = Settings(str(folder))
    began = time.perf_counter()
    process = start(folder, "--out", tmp_path / "whole", "--workers", "2")
    peak = 0
    while process.poll() is None:
        peak = max(peak, family_memory(process.pid))
        time.sleep(0.05)
    assert process.returncode == 0, process.stderr.read()
    took = time.perf_counter() - began
    print(f"peak {peak / 1e3:.0f} MB, {took:.1f} s")
    assert 50_000 < peak < 600_000, f"{peak} kB"
    check_prepared(tmp_path / "whole", DROPPED)
    out = tmp_path / "out"
    assert kill_and_go_on(settings, out, 10, took / 2, random.Random(5)) >= 3
    prepare(settings, out, workers=1)
    assert contents(out) == contents(tmp_path / "whole")


def family_memory(pid):
    """kB that a process and its children hold."""
    total = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/status") as file:
                status = dict(line.split(":", 1) for line in file)
        except OSError:
            continue
        if pid in (int(name), int(status["PPid"])):
            total += int(status.get("VmRSS", "0 kB").split()[0])
    return total


@pytest.mark.skipif(os.name != "posix", reason="locks files as only POSIX does")
def test_a_directory_has_one_writer(tmp_path, small_portions, monkeypatch):
    """A second one is refused and changes nothing; the first one's end sets it free."""
    out = tmp_path / "out"
    settings = Settings("stories:40kB")
    decide = pipeline.decide

    def meanwhile(*arguments):
        with pytest.raises(InputError, match="out is being prepared by another process; wait"):
            prepare(replace(settings, mask=False), out)
        decide(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "decide", meanwhile)
        with pytest.raises(Killed):
            prepare(settings, out)
    prepare(settings, out)
    prepare(settings, tmp_path / "alone")
    assert contents(out) == contents(tmp_path / "alone")


def test_what_another_process_finishes_meanwhile_is_not_made_again(
    tmp_path, small_portions, monkeypatch
):
    """It is ready between the first look and the lock."""
    out = tmp_path / "out"
    work = pipeline.Work

    def late(*arguments):
        monkeypatch.setattr(pipeline, "Work", work)
        prepare(Settings("stories:40kB"), out)
        return work(*arguments)

    monkeypatch.setattr(pipeline, "Work", late)
    with pytest.raises(InputError, match="was prepared from other text"):
        prepare(Settings("stories:40kB", mask=False), out)
    assert open_prepared(out).manifest["settings"]["mask"]


def test_other_settings_after_an_unfinished_run_start_anew(tmp_path, small_portions):
    with pytest.raises(InputError, match="out of reach"):
        prepare(Settings("stories:30kB", tokenizer="bpe:9000"), tmp_path / "out")
    prepare(Settings("stories:30kB", tokenizer="bpe:300"), tmp_path / "out")
    prepare(Settings("stories:30kB", tokenizer="bpe:300"), tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize(
    "change",
    [
        {"limits": Limits(shortest=1550)},
        {"mask": False},
        {"form": "NFKC"},
        {"seed": 1},
        {"near": 0},
    ],
)
def test_cleaned_portions_of_other_settings_are_not_taken(
    tmp_path, small_portions, monkeypatch, change
):
    texts = [f"{text} ² a@example.org" for text in stories(20)]
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    settings = Settings(str(file))

    def stop(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "decide", stop)
        with pytest.raises(Killed):
            prepare(settings, tmp_path / "out")
    prepare(replace(settings, **change), tmp_path / "out")
    prepare(replace(settings, **change), tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.skipif(os.name != "posix", reason="limits a file's size as only POSIX can")
def test_a_write_that_fails_is_one_line_and_the_run_goes_on_later(tmp_path):
    limits = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # noqa: E731
    arguments = ["prepare", "stories:500kB", "--out", str(tmp_path / "out"), "--workers", "1"]
    failed = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        preexec_fn=limits,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 2
    errors = [line for line in failed.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "File too large" in errors[0] and "run it again" in errors[0]
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert main(arguments) == 0
