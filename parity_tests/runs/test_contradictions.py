"""Files of a run whose facts contradict one another, or are larger than any number in it:
one line, which quotes no more than a little, and nothing is written."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from npgpt.runs.log import read_log
from parity_tests.runs.run_checks import flags

pytestmark = pytest.mark.usefixtures("no_pictures")
HUGE = 10**400


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """runs/npgpt and runs/torchgpt, two steps each."""
    import npgpt.cli.main
    import torchgpt.cli.main
    from npgpt.runs import train as loop
    from parity_tests.runs.run_checks import write_corpus

    path = tmp_path_factory.mktemp("contradictions")
    corpus = write_corpus(path / "corpus.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "draw_run", lambda path: None)
        for main, more in ((npgpt.cli.main.main, []),
                           (torchgpt.cli.main.main, ["--device", "cpu"])):
            name = main.__module__.split(".")[0]
            line = ["train", *flags(corpus=corpus, steps=2), "--out", str(path / name), *more]
            assert main(line) == 0
    return path


def refused(result, *words):
    status, out, err = result
    assert status == 2 and out == "" and re.fullmatch(r"error: [^\n]+\n", err), err
    assert len(err) < 600, len(err)
    for word in words:
        assert word in err, err


def facts(**changes):
    """Other facts in training.safetensors."""
    def change(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            known = json.loads(source.metadata()["facts"])
        save_file(load_file(file), file, metadata={"facts": json.dumps({**known, **changes})})

    return change


def tensors(name, value):
    """Another number at the beginning of a tensor of training.safetensors."""
    def change(path):
        file = path / "training.safetensors"
        with safe_open(file, framework="numpy") as source:
            metadata = source.metadata()
        arrays = load_file(file)
        arrays[name].reshape(-1)[0] = value
        save_file(arrays, file, metadata=metadata)

    return change


def fields(name, **changes):
    """Other fields in a JSON file; a dict changes the fields of the one that is there."""
    def change(path):
        known = json.loads((path / name).read_text())
        for field, value in changes.items():
            known[field] = {**known[field], **value} if isinstance(value, dict) else value
        (path / name).write_text(json.dumps(known))

    return change


@pytest.mark.parametrize(("harm", "words"), [
    (facts(**{"optimizer.step": 4}), ["the run has taken 2 steps, AdamW 4"]),
    (facts(step=1), ["the run has taken 1 steps, AdamW 2"]),
    (facts(best=-1), ["not a training state"]),
    (facts(best=True), ["not a training state"]),
    (facts(best=-1e-300), ["not a training state"]),
    (facts(best=HUGE), ["not a training state"]),
    (facts(step=HUGE, **{"optimizer.step": HUGE}), ["not a training state"]),
    (facts(step=10**250, **{"optimizer.step": 10**250}), ["not a training state"]),
    (facts(step=10**18, **{"optimizer.step": 10**18}), ["has already done its 1000"]),
    (tensors("params.norm.bias", np.nan), ["params.norm.bias is not finite"]),
    (tensors("optimizer.m.tokens.weight", -np.inf), ["optimizer.m.tokens.weight is not finite"]),
    (tensors("optimizer.v.blocks.0.norm_1.weight", np.inf), ["norm_1.weight is not finite"]),
    (tensors("optimizer.v.tokens.weight", -1e-9), ["tokens.weight, a mean of squares"]),
    (fields("run.json", half=[]), ["run.json: half is []"]),
    (fields("run.json", torch=[]), ["run.json: torch is []"]),
    (fields("run.json", torch=None), ["run.json: torch is None"]),
    (fields("run.json", compile="no"), ["run.json: compile is 'no'"]),
    (fields("run.json", settings={"seed": HUGE}), ["run.json holds a whole number of 401 digits"]),
    (fields("run.json", settings={"batch_size": 2**63}), ["batch_size is"]),
    (fields("run.json", settings={"learning_rate": 10**250}), ["learning_rate is"]),
    (fields("run.json", settings={"evaluate_every": 10**30}), ["evaluate_every is"]),
    (fields("run.json", settings={"dtype": "float32" * 10_000}), ["dtype is"]),
    (fields("run.json", settings={"steps": [1] * 10_000}), ["run.json: steps is [1, 1"]),
    (fields("config.json", n_positions=HUGE), ["config.json holds a whole number of 401 digits"]),
    (fields("config.json", n_embd=2**70), ["config.json"]),
    (fields("config.json", n_head=10**300), ["config.json"]),
    (fields("config.json", vocab_size=2**63), [str(2**63)]),
    (fields("config.json", model_type=["gpt2" * 5000]), ["model_type is ['gpt2"]),
    (fields("config.json", activation_function="x" * 10_000), ["activation_function is 'xxx"]),
    (fields("config.json", n_inner=[7] * 5000), ["n_inner is [7, 7"]),
    (lambda path: save_file({"x" * 5000: np.ones(1, np.float32)}, path / "training.safetensors",
                            metadata={"facts": '{"step": 2, "optimizer.step": 2, "best": 1}'}),
     ["has the unknown xxx"]),
])
def test_a_run_that_contradicts_itself(tmp_path, npgpt, trained, harm, words):
    run = shutil.copytree(trained / "npgpt", tmp_path / "run")
    harm(run)
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    refused(npgpt("train", "--out", run, "--resume", "--steps", 4), *words)
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("harm", [
    fields("run.json", torch=[]), fields("run.json", torch={"shared_dropout": "yes"}),
    fields("run.json", half=3)])
def test_by_what_torch_s_run_was_trained(tmp_path, torchgpt, trained, harm):
    run = shutil.copytree(trained / "torchgpt", tmp_path / "run")
    line = ["train", "--out", run, "--resume", "--steps", 4, "--device", "cpu"]
    harm(run)
    refused(torchgpt(*line), "run.json: ", "restore it from a copy")


@pytest.mark.parametrize("harm", [
    fields("config.json", n_embd=HUGE), fields("config.json", n_layer=2**70),
    fields("config.json", n_ctx=HUGE), fields("config.json", n_positions=2**65)])
def test_numbers_too_large_in_a_model_s_config(tmp_path, npgpt, trained, harm):
    run = shutil.copytree(trained / "npgpt", tmp_path / "run")
    (run / "run.json").unlink()
    harm(run)
    refused(npgpt("sample", run), str(run))


def test_a_log_with_numbers_too_large(tmp_path, npgpt, trained):
    run = shutil.copytree(trained / "npgpt", tmp_path / "run")
    whole = read_log(run)
    with open(run / "log.jsonl", "a") as log:
        log.write(f'{{"step": {HUGE}, "train_loss": 1.0}}\n{{"step": 3, "train_loss": {HUGE}}}\n')
    assert read_log(run) == whole
    assert npgpt("plot", run, "--out", tmp_path / "a.png")[0] == 0


@pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
@pytest.mark.parametrize("changes", [
    {"batch_size": 2**62}, {"context_length": 2**62}, {"steps": 2**64}, {"batch_size": 10**400},
    {"evaluate_batches": 2**62}, {"warmup_steps": 10**400}, {"seed": 2**64}])
def test_settings_beyond_numpy_s_limits(request, tmp_path, corpus, command, changes):
    """Refused in one line, or as good as any other, and what fails leaves no directory."""
    run = request.getfixturevalue(command)
    more = ["--device", "cpu"] if command == "torchgpt" else []
    result = run("train", *flags(corpus=corpus, **changes), "--out", tmp_path / "run", *more)
    if result[0]:
        refused((2, "", result[2].splitlines(keepends=True)[-1]), "error: ")
        assert not (tmp_path / "run").exists()
    else:
        assert changes in ({"evaluate_batches": 2**62},)
