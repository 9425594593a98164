"""What every command shares: help, streams, JSON, and what it prints of a mistake."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

from npgpt.files import shell_quote
from npgpt.runs.checkpoint import saved_step
from parity_tests.runs.run_checks import flags, python, refused


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_help_fits_a_screen_and_has_an_example(request, command):
    run = request.getfixturevalue(command)
    _, listing, _ = run("--help")
    own = ["train", "sample"] + (["duet", "doctor"] if command == "npgpt" else [])
    for line in [[], *[[name] for name in own]]:
        status, out, err = run(*line, "--help")
        assert status == 0 and err == ""
        assert len(out.splitlines()) <= 40
        assert max(map(len, out.splitlines())) <= 80
        assert not line or f"{command} {line[0]}" in out.split("Options:")[0].split("\n", 1)[1]
        assert not line or line[0] in listing


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_the_version_is_the_package_s(request, command):
    run = request.getfixturevalue(command)
    for line in (["--version"], ["--version", "train"]):
        assert run(*line) == (0, f"npgpt {version('npgpt')}\n", "")


@pytest.mark.parametrize("line, where", [
    ("nosuch", ""), ("train --stepz 3", "train "),
    ("bench tokenizer --nosuch", "bench tokenizer ")])
def test_a_mistyped_line_says_where_help_is(npgpt, line, where):
    status, _, err = npgpt(*line.split())
    assert status == 2 and err.count("\n") == 1
    assert err.endswith(f": see npgpt {where}--help\n")


def test_both_halves_have_the_same_flags(npgpt, torchgpt):
    def names(text):
        return {word.strip(",") for word in text.split() if word.startswith("--")}

    for name in ("train", "sample"):
        ours, theirs = names(npgpt(name, "--help")[1]), names(torchgpt(name, "--help")[1])
        more = {"--device", "--by-hand", "--shared-dropout"}
        assert {flag for flag in theirs - ours if flag.strip(".")} <= more
        assert {flag for flag in ours - theirs if flag.strip(".")} <= {"--check"}


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("line", [
    ["train", "--resume"], ["train", "--resume", "--out", "nowhere"], ["sample", "nowhere"],
    ["sample"], ["fly"], ["train", "--steps"],
])
def test_a_command_that_is_not_whole(npgpt, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    refused(npgpt(*line))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash, which tells a pipe's status")
def test_a_closed_pipe_is_no_verdict():
    line = "from npgpt.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"
    for command in ("gradcheck --layer gelu --json", "exercise"):
        done = subprocess.run(
            f'"{sys.executable}" -c "{line}" {command} | true; exit ${{PIPESTATUS[0]}}',
            shell=True, executable=shutil.which("bash"), capture_output=True)
        assert done.returncode == 141 and done.stderr == b""


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
def test_json_has_no_numbers_that_are_none(capsys):
    from npgpt.cli.output import print_json

    print_json({"a": [float("nan"), 1.5], "b": {"c": np.float32("inf"), "d": np.float64("-inf")},
                "e": (np.int64(3), "x", None, True)})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [None, 1.5], "b": {"c": None, "d": None}, "e": [3, "x", None, True]}


def test_import_is_light():
    code = """
import sys, npgpt
heavy = {"torch", "matplotlib", "typer", "rich", "datasketch", "transformers"} & set(sys.modules)
assert not heavy, heavy
import npgpt.cli.main
heavy = {"torch", "matplotlib", "datasketch", "transformers"} & set(sys.modules)
assert not heavy, heavy
"""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # as where it is not installed
from npgpt.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_torch(tmp_path, corpus):
    line = flags(corpus=corpus, steps=2)
    done = python(WITHOUT_TORCH, "train", *line, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    done = python(WITHOUT_TORCH, "sample", tmp_path / "run", "--tokens", "3")
    assert done.returncode == 0 and done.stdout
    done = python(WITHOUT_TORCH, "duet", "--out", tmp_path / "duet")
    assert done.returncode == 2
    assert done.stderr.startswith("error: torch is not installed: pip install 'npgpt[torch]'")
    assert done.stderr.count("\n") == 1 and not (tmp_path / "duet").exists()
    done = python(WITHOUT_TORCH, "gradcheck", "--layer", "linear")
    assert done.returncode == 0 and "weight" in done.stdout, done.stderr
    done = python(WITHOUT_TORCH, "doctor")
    assert done.returncode == 0 and "pip install 'npgpt[torch]'" in done.stdout
    done = python("import sys; sys.modules['torch'] = None; import npgpt.cli.torchgpt as door;"
                  " sys.exit(door.main())")
    assert done.returncode == 2 and done.stderr.startswith("error: torch is not installed: pip")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_a_hint_can_be_typed_whatever_the_directory_s_name(request, tmp_path, corpus, command):
    run = request.getfixturevalue(command)
    out = tmp_path / "two words; $HOME"
    line = ["train", *flags(corpus=corpus, steps=2), "--out", out]
    status, said, _ = run(*line)
    assert status == 0 and f"try it:  {command} sample {shlex.quote(str(out))}\n" in said
    refused(run(*line), f"{command} train --out {shlex.quote(str(out))} --resume")


@pytest.mark.usefixtures("no_pictures")
def test_a_name_as_it_can_be_typed():
    assert [shell_quote(name) for name in ("a", "a b", "-r", "runs/-r")] == [
        "a", "'a b'", "./-r", "runs/-r"]


@pytest.mark.usefixtures("no_pictures")
def test_torch_says_otherwise_that_memory_is_short():
    import torch

    from npgpt.cli.run import is_out_of_memory

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**50)
    assert is_out_of_memory(error.value)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
def test_more_than_the_memory_is_one_line(request, tmp_path, corpus, trained, command):
    """No machine addresses this much."""
    run = request.getfixturevalue(command)
    line = flags(corpus=corpus, channels=2**40)
    refused(run("train", *line, "--out", tmp_path / "run"), "not enough memory", "--accumulate")
    status, _, err = run("sample", trained, "--tokens", 2**48)
    refused((status, "", err), "ask for fewer --tokens, at most 1,000,000,000")


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
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


@pytest.mark.usefixtures("no_pictures")
def test_a_port_that_cannot_be(npgpt):
    for port in ("99999", "-1"):
        refused(npgpt("book", "--serve", "--port", port), "--port")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("arguments", "words"), [
    (["--at", "foo"], ["--at is 'foo'"]),
    (["--layer", "linear", "--at", "colour=red"], ["colour", "linear does not choose"]),
    (["--candidate", "npgpt", "--at", "B=2"], ["--at needs --layer"]),
])
def test_choices_that_gradcheck_does_not_know(npgpt, arguments, words):
    refused(npgpt("gradcheck", *arguments), *words)
