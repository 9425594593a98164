"""What is kept of an acceptance run."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from parity_tests import plugin, report

RECORD = {"profile": "acceptance", "date": "2026-01-02", "commit": "1a2b3c4", "versions": {},
          "components": {"gelu": {"forward": 0.1234, "backward": 0.2}}, "mutants": {}}


def outcome(nodeid, outcome="passed", slow=False, when="call"):
    return SimpleNamespace(nodeid=nodeid, outcome=outcome, when=when, duration=1.26,
                           keywords={"acceptance": 1} if slow else {})


def test_a_record_counts_outcomes_and_names_slow_tests():
    stats = {"passed": [outcome("a"), outcome("b", slow=True)],
             "failed": [outcome("c", "failed", slow=True)],
             "error": [outcome("d", "error", slow=True, when="setup")]}
    kept = report.as_acceptance(RECORD, stats, 61.7)
    assert (kept["passed"], kept["failed"], kept["error"], kept["skipped"]) == (2, 1, 1, 0)
    assert kept["slow"] == {"b": {"outcome": "passed", "seconds": 1.3},
                            "c": {"outcome": "failed", "seconds": 1.3}}
    assert (kept["seconds"], kept["worst"]["gelu"]["forward"]) == (62, 0.123)


def test_fuzzed_inputs_are_added_up_and_kept_when_all_were_tried():
    def part(here, processes):
        return {"fuzzed": {"in process": {"log": {"right": here, "refused": 1}},
                           "as processes": {"log": {"right": processes, "refused": 0}}}}

    few, whole = [part(3, 2), {}, part(4, 1)], [part(9000, 300), part(998, 0)]
    assert report.merge_fuzzed(few) == {"in process": {"log": {"right": 7, "refused": 2}},
                                        "as processes": {"log": {"right": 3, "refused": 0}}}
    assert not report.is_whole_fuzz(report.merge_fuzzed(few))
    assert not report.is_whole_fuzz({})
    assert report.is_whole_fuzz(report.merge_fuzzed(whole))
    record = report.as_fuzz_record(report.merge_fuzzed(whole), "1a2b3c4")
    assert record["in process"]["log"] == {"right": 9998, "refused": 2}
    assert (record["failures"], record["commit"]) == (0, "1a2b3c4")


def test_only_a_whole_run_is_kept(pytestconfig):
    def whole(args, **options):
        chosen = {"--profile": "acceptance", **options}
        return plugin.is_whole_acceptance_run(SimpleNamespace(
            getoption=chosen.get, args=args, rootpath=pytestconfig.rootpath))

    everything = [str(pytestconfig.rootpath / "parity_tests")]
    assert whole(everything)
    assert not whole(everything, keyword="gelu")
    assert not whole(everything, markexpr="component")
    assert not whole(everything, lf=True)
    assert not whole([everything[0] + "/checking/test_components.py"])
    assert not whole(everything, **{"--profile": "ci"})


@pytest.mark.acceptance  # a whole run of pytest inside
def test_a_profile_without_a_path_reports_too(pytestconfig, tmp_path):
    """pytest reads the profile's name as a path until it knows the option."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--profile", "ci", "-n", "1", "-k", "gelu and verdict",
         "-p", "no:cacheprovider", f"--report={tmp_path}"],
        cwd=pytestconfig.rootpath, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "worst error as a share of its budget" in done.stdout
    assert (tmp_path / "report.json").exists()


@pytest.mark.acceptance  # a whole run of pytest inside
def test_a_candidate_is_called_right_only_where_it_was_tried(pytestconfig):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--candidate", "my_package", "-n", "1", "-k", "gelu",
         "-p", "no:cacheprovider"],
        cwd=pytestconfig.rootpath, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(pytestconfig.rootpath / "docs/examples")})
    assert done.returncode == 0, done.stdout
    said = dict(line.split()[::-1] for line in done.stdout.splitlines()
                if line.startswith("right"))
    assert said == {"gelu": "right"}
    assert "not tried    layer_norm" in done.stdout


@pytest.mark.acceptance  # a whole run of pytest inside
def test_gradcheck_and_pytest_give_a_candidate_one_verdict(pytestconfig):
    def said(*command):
        return subprocess.run(
            [sys.executable, *command], cwd=pytestconfig.rootpath, capture_output=True,
            text=True, env={**os.environ,
                            "PYTHONPATH": str(pytestconfig.rootpath / "docs/examples")}).stdout

    checked = json.loads(said(
        "-c", "from npgpt.cli.main import main; main()",
        "gradcheck", "--candidate", "my_package", "--json"))
    lines = said("-m", "pytest", "--candidate", "my_package", "-n", "2", "-p", "no:cacheprovider",
                 "parity_tests/checking/test_components.py").splitlines()

    def listed(verdict):
        return [line.removeprefix(verdict).strip() for line in lines if line.startswith(verdict)]

    assert listed("right  ") == checked["right"] == ["gelu"]
    assert listed("wrong  ") == list(checked["wrong"]) == ["layer_norm", "linear"]
    assert listed("not offered") == [", ".join(checked["not_offered"])]
    assert listed("not tried") == []
