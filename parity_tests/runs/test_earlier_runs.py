"""Runs in parity_tests/earlier_runs open, write the same text and go on as they did.

expected.json there holds, of each run, the command that made it, the ids that it writes
with their log-probabilities, and what its half finds in the steps after its last one; of
`fresh`, only a command and its first losses. All of it goes through the command lines.
"""

import json
import shutil
from pathlib import Path

import pytest

from parity_tests.runs.run_checks import log_of, python

EARLIER = Path(__file__).parents[1] / "earlier_runs"
EXPECTED = json.loads((EARLIER / "expected.json").read_text(encoding="utf-8"))
RUNS = EXPECTED["runs"]
STEPS, LENGTHENED = EXPECTED["steps"], EXPECTED["steps"] + EXPECTED["more_steps"]
FRESH = {**RUNS, **EXPECTED["fresh"]}
CORPUS = "prepared_texts"  # the name of the only corpus that is a directory here

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def command(npgpt, torchgpt):
    """Run one of either half's commands, on the processor -> stdout."""

    def run(half, *line):
        call, more = (torchgpt, ["--device", "cpu"]) if half == "torchgpt" else (npgpt, [])
        status, out, err = call(*line, *more)
        assert status == 0, err
        return out

    return run


def copied(name, path):
    """The run `name` in the directory `path`; its corpus is the one beside the runs."""
    shutil.copytree(EARLIER / name, path)
    for file in path.rglob("run.json"):
        run_json = json.loads(file.read_text(encoding="utf-8"))
        if Path(run_json["settings"]["corpus"]).name == CORPUS:
            run_json["settings"]["corpus"] = str(EARLIER / CORPUS)
            file.write_text(json.dumps(run_json, indent=2) + "\n", encoding="utf-8")
    return path


def half_of(name):
    return RUNS[name]["command"][0]


def go_on(command, name, path):
    """Its own half takes the next steps, told nothing but their number -> what it says."""
    line = ["train", "--out", path, "--resume", "--steps", LENGTHENED, "--json"]
    return json.loads(command(half_of(name), *line))


def close(found, expected, tolerance):
    assert found == pytest.approx(expected, rel=0, abs=tolerance)


@pytest.mark.parametrize("how", ["greedy", "drawn"])
@pytest.mark.parametrize("name", RUNS)
def test_it_opens_and_writes_the_same_text(tmp_path, command, name, how):
    path = copied(name, tmp_path / "run")
    prompt = ",".join(map(str, EXPECTED["prompt"]))
    line = ["sample", path, *EXPECTED[how], "--ids", prompt, "--tokens", EXPECTED["tokens"]]
    found, expected = json.loads(command(half_of(name), *line, "--json")), RUNS[name][how]
    assert (found["ids"], found["text"]) == (expected["ids"], expected["text"])
    close(found["log_probs"], expected["log_probs"], 1e-4)


@pytest.mark.parametrize("name", [name for name in RUNS if (EARLIER / name / "best").is_dir()])
def test_its_best_opens(tmp_path, command, name):
    path = copied(name, tmp_path / "run")
    found = json.loads(command(half_of(name), "sample", path / "best", "--tokens", 2, "--json"))
    assert len(found["ids"]) == 2


@pytest.mark.parametrize("name", RUNS)
def test_it_goes_on_as_it_did(tmp_path, command, name):
    """In its own half, twice from one file: near the losses it had, and the same bits."""
    expected, path, again = RUNS[name], tmp_path / "run", tmp_path / "again"
    said = go_on(command, name, copied(name, path))
    assert (said["half"], said["step"]) == (expected["half"], LENGTHENED)
    lines = [line for line in log_of(path) if line["step"] > STEPS]
    assert [line["step"] for line in lines] == list(range(STEPS + 1, LENGTHENED + 1))
    tolerance = expected["tolerance"]
    close([line["train_loss"] for line in lines], expected["losses"], tolerance)
    close([line["learning_rate"] for line in lines], expected["learning_rates"], 1e-12)
    validation = {str(line["step"]): line["validation_loss"]
                  for line in lines if "validation_loss" in line}
    close(validation, expected["validation"], tolerance)
    close(said["best_validation_loss"], expected["best"], tolerance)
    go_on(command, name, copied(name, again))
    one, other = (each / "training.safetensors" for each in (path, again))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("name", "status"), [("compiled", 2), ("numpy", 0)])
def test_a_compiled_run_goes_on_compiled(tmp_path, name, status):
    """Unasked: where there is no numba, this one does not go on, and an ordinary one does."""
    code = ("import sys; sys.modules['numba'] = None\n"
            "from npgpt.cli.main import main; sys.exit(main(sys.argv[1:]))")
    path = copied(name, tmp_path / "run")
    done = python(code, "train", "--out", path, "--resume", "--steps", LENGTHENED)
    assert done.returncode == status, done.stderr
    assert ("numba is not installed" in done.stderr) is (name == "compiled")


@pytest.mark.parametrize("name", FRESH)
def test_a_new_run_has_the_same_first_losses(tmp_path, command, name):
    half, *line = FRESH[name]["command"]
    line = [str(EARLIER / CORPUS) if word == CORPUS else word for word in line]
    command(half, *line, "--steps", 3, "--out", tmp_path / "run")
    log = log_of(tmp_path / "run")
    for kind, losses in FRESH[name]["first_three"].items():
        close([line[kind] for line in log if kind in line], losses, 1e-5)
