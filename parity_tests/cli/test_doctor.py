"""npgpt doctor, as it is typed."""

import importlib.metadata
import json
import sys

import pytest

from npgpt.cli import packages
from npgpt.cli.main import main


@pytest.fixture
def run(capsys):
    def run(*words):
        status = main(list(words))
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_doctor(run):
    status, out, err = run("doctor")
    assert status == 0 and err == ""
    for word in ("Python", "NumPy", "its BLAS", "processors", "torch", "CUDA"):
        assert word in out
    findings = json.loads(run("doctor", "--json")[1])["findings"]
    assert {finding["state"] for finding in findings} <= {"ok", "note"}


def test_each_extra_of_the_metadata_has_a_line_and_a_use(run):
    findings = json.loads(run("doctor", "--json")[1])["findings"]
    told = {finding["what"].strip("[]") for finding in findings}
    extras = importlib.metadata.metadata("npgpt").get_all("Provides-Extra")
    for extra in extras:
        names = packages.requirements()[extra]
        assert names and (names[0] if len(names) == 1 else extra) in told
    assert set(packages.USES) == set(extras)
    assert {"matplotlib", "typer", "regex"} <= told
    assert "npgpt" not in told


def test_what_is_missing_of_an_extra_is_named_with_the_command_that_installs_it(
        run, monkeypatch):
    known = importlib.metadata.version

    def version(name):
        if name in ("no-such-thing", "coverage"):
            raise importlib.metadata.PackageNotFoundError(name)
        return known(name)

    class Metadata:
        def get_all(self, field):
            return {"Provides-Extra": ["server", "test", "torch"], "Requires-Dist": [
                "numpy>=2.0", "typer", 'no-such-thing>=1; extra == "server"',
                'npgpt[torch]; extra == "test"', 'pytest>=8; extra == "test"',
                'coverage; python_version > "3" and extra == "test"',
                "torch<9; extra == 'torch'"]}[field]

    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: Metadata())
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setitem(sys.modules, "torch", None)
    status, out, _ = run("doctor")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    at = lines.index("note no-such-thing not installed")
    assert lines[at + 1] == "-> pip install 'npgpt[server]'"
    assert lines[at + 2].startswith("note [test] coverage not installed; needed for:")
    assert lines[at + 3] == "-> pip install 'npgpt[test]'"
    assert lines[at + 4].startswith("note torch not installed; needed for: duet")
    assert status == 0 and "CUDA" not in out


def test_without_metadata_doctor_says_that_npgpt_is_not_installed(run, monkeypatch):
    def metadata(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", metadata)
    status, out, _ = run("doctor")
    assert status == 0 and "pip install -e ." in out
