"""The commands as a newcomer meets them."""

import json
import math
import re
import shutil
import signal
import subprocess
import sys
from functools import partial

import pytest
from safetensors.numpy import load_file

from npgpt.models import gpt2
from parity_tests.runs.run_checks import TINY, flags, log_of, python

DUET = {"evaluate_every": None, "decay_steps": None, "steps": 10}


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


def test_a_run_and_what_it_leaves(npgpt, tmp_path, corpus):
    out = tmp_path / "run"
    status, text, err = npgpt("train", *flags(corpus=corpus), "--out", out, "--json")
    assert status == 0
    summary = json.loads(text)
    assert summary["step"] == 12 and summary["status"] == "finished"
    loss = summary["validation_loss"]
    assert summary["perplexity"] == pytest.approx(math.exp(loss))
    assert summary["bits_per_byte"] == pytest.approx(loss / math.log(2), rel=0.02)  # ASCII
    lines = log_of(out)
    assert [line["step"] for line in lines] == list(range(13))
    assert [line["step"] for line in lines if "validation_loss" in line] == [0, 4, 8, 12]
    assert all({"train_loss", "learning_rate", "grad_norm"} <= set(line) for line in lines[1:])
    assert min(line["validation_loss"] for line in lines[4::4]) == summary["best_validation_loss"]
    rates = {line["step"]: line["learning_rate"] for line in lines[1:]}
    # two steps up to 1e-3, then half a cosine over ten; step k is the schedule's k - 1
    last = 1e-4 + 9e-4 * (1 + math.cos(math.pi * 9 / 10)) / 2
    for step, rate in ((1, 5e-4), (2, 1e-3), (3, 1e-3), (12, last)):
        assert rates[step] == pytest.approx(rate, rel=1e-12)
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    static = {"run.json", "config.json", "tokenizer.json", "tokenizer_config.json"}
    weights = {"model.safetensors", "training.safetensors"}
    assert {p.name for p in out.iterdir()} == static | weights | {"log.jsonl", "loss.png", "best"}
    assert {p.name for p in (out / "best").iterdir()} == static | weights
    record = json.loads((out / "run.json").read_text())
    assert record["settings"]["corpus"] == str(corpus) and len(record["data"]["sha256"]) == 64
    assert record["settings"]["minimum_rate"] == pytest.approx(1e-4)
    assert "step 0/12" in err and "step 12/12" in err  # no terminal: plain lines
    assert "\x1b" not in err


@pytest.mark.usefixtures("no_pictures")
def test_accumulated_parts_equal_the_whole_batch(npgpt, tmp_path, corpus):
    import numpy as np

    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.tree import tree_leaves

    found = []
    for parts in (1, 2, 4):
        line = flags(corpus=corpus, accumulate=parts, dropout=0.2, dtype="float64")
        assert npgpt("train", *line, "--out", tmp_path / str(parts))[0] == 0
        found.append(load_checkpoint(tmp_path / str(parts)).params)
    for other in found[1:]:
        for (name, a), (_, b) in zip(tree_leaves(found[0]), tree_leaves(other)):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.usefixtures("no_pictures")
def test_both_halves_train_alike(npgpt, torchgpt, tmp_path, corpus):
    """NumPy, PyTorch by hand and autograd: accumulation, dropout, schedule, clipping."""
    line = flags(corpus=corpus, dtype="float64", dropout=0.1, accumulate=2, steps=50,
                 decay_steps=50, clip=0.5)
    assert npgpt("train", *line, "--out", tmp_path / "a")[0] == 0
    assert torchgpt("train", *line, "--device", "cpu", "--by-hand", "--out", tmp_path / "b")[0] == 0
    assert torchgpt("train", *line, "--device", "cpu", "--shared-dropout",
                    "--out", tmp_path / "c")[0] == 0
    logs = [log_of(tmp_path / name) for name in "abc"]
    for lines in zip(*logs, strict=True):
        for key in ("train_loss", "validation_loss", "grad_norm"):
            values = [line[key] for line in lines if key in line]
            assert len(values) in (0, 3)
            assert not values or max(values) - min(values) < 1e-9


@pytest.mark.usefixtures("no_pictures")
def test_a_model_is_compiled_where_it_is_asked_for(torchgpt, tmp_path, corpus, monkeypatch):
    compiled = []
    monkeypatch.setattr("torchgpt.modules.gpt2.GPT.compile", lambda model: compiled.append(model))
    line = ["train", *flags(corpus=corpus, steps=1), "--device", "cpu", "--out"]
    for place, more in (("plain", []), ("asked", ["--compile"])):
        assert torchgpt(*line, tmp_path / place, *more)[0] == 0
        assert len(compiled) == len(more)


@pytest.mark.usefixtures("no_pictures")
def test_numpy_runs_compiled_where_it_is_asked_to(npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.speed import compiled

    shards, on_loops = [], compiled.on_loops
    moves, one_move = [], compiled.adamw_step

    def counted(what):
        found = on_loops(what)
        if not callable(found):
            return found
        return lambda *given, **more: shards.append(given) or found(*given, **more)

    monkeypatch.setattr(compiled, "on_loops", counted)
    monkeypatch.setattr(compiled, "adamw_step",
                        lambda *given, **more: moves.append(given) or one_move(*given, **more))
    line = ["train", *flags(corpus=corpus, dropout=0.1, steps=3), "--json"]
    losses = {}
    for place, more in (("plain", []), ("compiled", ["--compile"])):
        status, out, _ = npgpt(*line, "--out", tmp_path / place, *more)
        assert status == 0 and bool(shards) == bool(more) and bool(moves) == bool(more)
        losses[place] = json.loads(out)["validation_loss"]
        recorded = json.loads((tmp_path / place / "run.json").read_text(encoding="utf-8"))
        assert recorded["compile"] == bool(more)
    assert losses["plain"] == pytest.approx(losses["compiled"], abs=1e-5)
    shards.clear()
    assert npgpt("train", *flags(corpus=corpus), "--check", "--compile")[0] in (0, 1) and shards


def test_without_numba(tmp_path, corpus):
    code = ("import sys; sys.modules['numba'] = None; from npgpt.cli.main import main;"
            " sys.exit(main(sys.argv[1:]))")
    done = python(code, "train", *flags(corpus=corpus), "--compile", "--out", tmp_path / "run")
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert done.stderr == "error: numba is not installed: pip install 'npgpt[compile]'\n"
    done = python(code, "train", *flags(corpus=corpus, steps=1), "--out", tmp_path / "plain")
    assert done.returncode == 0, done.stderr
    done = python(code, "bench", "step", "--size", "S", "--rounds", "1", "--json")
    assert done.returncode == 0 and "npgpt --compile" not in done.stdout, done.stderr


@pytest.mark.usefixtures("no_pictures")
def test_a_loss_that_is_no_number_stops_the_run(npgpt, tmp_path, corpus):
    out = tmp_path / "run"
    status, _, err = npgpt("train", *flags(
        corpus=corpus, learning_rate=1e30, clip=1e30, save_every=1), "--out", out)
    assert status == 1
    last = err.splitlines()[-1]
    assert last.startswith("error: ") and "step" in last and "went bad" in last
    assert "last good checkpoint is" in last or "no good checkpoint yet" in last
    # what is saved can be read, and holds numbers
    import numpy as np

    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.tree import tree_leaves

    assert all(np.isfinite(array).all() for _, array in tree_leaves(load_checkpoint(out).params))


def test_the_last_good_checkpoint_is_the_latest_that_holds_numbers(tmp_path):
    from types import SimpleNamespace

    import numpy as np

    from npgpt.runs.checkpoint import save_checkpoint
    from npgpt.runs.diverged import last_good
    from npgpt.training import adamw_init, init

    config = gpt2.Config(5, context_length=4, layers=1, heads=1, channels=4)
    run = SimpleNamespace(path=tmp_path / "run", config=config, model=gpt2)

    def save(path, step, spoil=1.0):
        params = init(gpt2, config)
        params["norm"]["weight"] *= spoil
        save_checkpoint(path, config, params, training={
            "step": step, "best": None, "optimizer": adamw_init(params)})

    save_checkpoint(run.path, config, init(gpt2, config))
    assert "no good checkpoint yet" in last_good(run)
    save(run.path / "best", 4)
    assert f"is {run.path / 'best'}, step 4" in last_good(run)
    save(run.path, 7)
    assert f"is {run.path}, step 7" in last_good(run)
    save(run.path / "best", 9)
    assert f"is {run.path / 'best'}, step 9" in last_good(run)
    save(run.path / "best", 9, spoil=np.nan)
    assert f"is {run.path}, step 7" in last_good(run)
    save(run.path, 7, spoil=np.inf)
    assert "no good checkpoint yet" in last_good(run)


def spoil(self, *given):
    self.params["norm"]["bias"][0] = math.nan


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("call", "bad", "words"), [
    ("clip", lambda grads, limit: (grads, math.inf), "the gradient's norm is inf at step 1"),
    ("loss", lambda self, *given: math.nan, "the validation loss is nan after step 2"),
    ("move", spoil, "the weight norm.bias is not finite after step 1"),
], ids=["norm", "validation", "weight"])
def test_a_number_that_is_none_stops_the_run_before_it_is_saved(
        npgpt, tmp_path, corpus, monkeypatch, call, bad, words):
    import numpy as np

    from npgpt.training import Trainer

    if call == "clip":
        monkeypatch.setattr("npgpt.training.Trainer", partial(Trainer, clip=bad))
    else:
        monkeypatch.setattr(Trainer, call, bad)
    out = tmp_path / "run"
    line = flags(corpus=corpus, evaluate_every=2, save_every=1)
    status, _, err = npgpt("train", *line, "--out", out)
    assert status == 1 and words in err.splitlines()[-1]
    for file in out.rglob("*.safetensors"):
        assert all(np.isfinite(array).all() for array in load_file(file).values())


def test_what_went_bad_first_is_named():
    import numpy as np

    from npgpt.runs import diverged
    from npgpt.training import init

    first_bad = partial(diverged.first_bad, gpt2)
    config = gpt2.Config(5, context_length=4, layers=2, heads=1, channels=4)
    params = init(gpt2, config)
    ids = np.zeros((1, 4), int)
    assert "no tensor is bad" in first_bad(params, params, config, ids)
    steep = init(gpt2, config)
    steep["blocks"][0]["norm_2"]["bias"][1] = 1e20  # finite, but not its square in float32
    assert first_bad(params, steep, config, ids) == (
        "the gradient of blocks.0.norm_2.bias is too large to be squared")
    grads = init(gpt2, config)  # the backward pass begins at the end
    for part in (grads["tokens"], grads["blocks"][0]["norm_1"], grads["norm"]):
        part["weight"][0] = np.nan
    assert first_bad(params, grads, config, ids) == "the gradient of norm.weight went bad first"
    params["blocks"][1]["feed_forward"]["down"]["bias"][0] = 3e38
    params["blocks"][1]["attention"]["out"]["bias"][0] = 3e38
    assert first_bad(params, params, config, ids) == "the output of blocks.1 went bad first"
    params["blocks"][0]["norm_2"]["weight"][1] = np.nan
    assert first_bad(params, params, config, ids) == (
        "the weight blocks.0.norm_2.weight went bad first")


@pytest.mark.usefixtures("no_pictures")
def test_samples_of_both_halves_are_the_same(npgpt, torchgpt, tmp_path, corpus):
    out = tmp_path / "run"
    npgpt("train", *flags(corpus=corpus), "--out", out)
    line = ["sample", out, "--prompt", "the ", "--tokens", 40, "--top-k", 9, "--seed", 3]
    status, text, _ = npgpt(*line)
    assert status == 0 and text.startswith("the ") and len(text) == 45
    assert torchgpt(*line, "--device", "cpu")[1] == text
    found = json.loads(npgpt(*line, "--json")[1])
    assert found["prompt"] + found["text"] + "\n" == text
    assert len(found["ids"]) == len(found["log_probs"]) == 40
    stop = found["text"][10:12]
    _, short, _ = npgpt(*line, "--stop", stop)
    assert short == "the " + found["text"][:found["text"].index(stop)] + "\n"
    assert npgpt("sample", out / "best", "--ids", "1,2", "--tokens", 3)[0] == 0


def test_the_duet(npgpt, tmp_path, corpus):
    out = tmp_path / "duet"
    line = flags(corpus=corpus, dtype="float64", dropout=0.1, **DUET)
    status, text, err = npgpt("duet", *line, "--device", "cpu", "--out", out)
    assert status == 0
    assert "token for token the same" in text and "max|a−b| / max|b|" in text
    assert "NumPy loss" in err and "10/10" in err
    lines = log_of(out)
    assert [line["step"] for line in lines] == list(range(1, 11))
    for entry in lines:
        assert {"numpy_loss", "torch_loss", "difference"} <= set(entry)
        assert entry["difference"] <= 1e-9
    assert set(lines[-1]["validation_loss"]) == {"numpy", "torch"}
    assert max(lines[-1]["gradient_differences"].values()) <= 1e-9
    assert len(lines[-1]["gradient_differences"]) == 17
    assert (out / "duet.png").read_bytes().startswith(b"\x89PNG")
    # its checkpoint is a run like any other
    assert npgpt("sample", out, "--tokens", 5)[0] == 0
    assert npgpt("train", "--out", out, "--resume", "--steps", 12)[0] == 0


def test_a_long_duet_compares_gradients_on_its_way(npgpt, tmp_path, corpus, monkeypatch):
    monkeypatch.setattr("npgpt.runs.duet.COMPARED_AT", 3)
    line = flags(corpus=corpus, dtype="float64", **{**DUET, "steps": 5})
    status, text, _ = npgpt("duet", *line, "--device", "cpu", "--out", tmp_path / "duet")
    assert status == 0 and "gradients of step 3," in text
    lines = log_of(tmp_path / "duet")
    assert [line["step"] for line in lines if "gradient_differences" in line] == [3]
    assert [line["step"] for line in lines if "validation_loss" in line] == [5]


@pytest.mark.parametrize(("dtype", "wrong_loss", "wrong_gradient", "at"), [
    ("float64", 0, 1.01, 2), ("float64", 1e-6, 1, 1),
    ("float32", 0, 1.01, 2), ("float32", 0.01, 1, 1)])
def test_halves_that_part_are_told_where(
        npgpt, tmp_path, corpus, monkeypatch, dtype, wrong_loss, wrong_gradient, at):
    from torchgpt.training import Trainer, loss_and_grads

    def wrong(*given, **more):
        loss, grads = loss_and_grads(*given, **more)
        grads["blocks"][0]["attention"]["qkv"]["weight"] *= wrong_gradient
        return loss + wrong_loss, grads

    monkeypatch.setattr("npgpt.runs.duet.draw_duet", lambda *given: None)
    monkeypatch.setattr("torchgpt.training.Trainer", partial(Trainer, loss_and_grads=wrong))
    line = flags(corpus=corpus, dtype=dtype, **{**DUET, "steps": 2})
    status, _, err = npgpt("duet", *line, "--device", "cpu", "--out", tmp_path / "duet")
    assert status == 1
    last = err.splitlines()[-1]
    assert last.startswith(f"error: the halves part at step {at}")
    assert wrong_loss or "blocks.0.attention.qkv.weight" in last


def test_a_duet_that_is_stopped_has_saved_its_last_step(tmp_path, corpus, monkeypatch):
    import torch

    from npgpt.runs.checkpoint import load_checkpoint
    from npgpt.runs.duet import duet
    from npgpt.runs.run import start_run
    from npgpt.runs.trainers import numpy_trainer
    from torchgpt.runs.trainers import by_hand_trainer

    monkeypatch.setattr("npgpt.runs.duet.draw_duet", lambda *given: None)
    given = {**TINY, "corpus": str(corpus)}
    run = start_run(tmp_path / "duet", given, "npgpt duet", {}, gpt2)
    trainers = numpy_trainer(run, compile=False), by_hand_trainer(run, torch.device("cpu"))
    steps = []
    found = duet(run, *trainers, steps.append, lambda: len(steps) == 3)
    assert (found["status"], found["step"]) == ("interrupted", 3)
    assert load_checkpoint(run.path).training["step"] == 3


@pytest.mark.parametrize(("seed", "place"), [(1, 0), (1, 2), (3, 5), (4, 9)])
def test_the_distance_is_the_draw_s_from_the_nearest_boundary(seed, place):
    """Of the text that `generate` writes, with its draws and in its windows."""
    import numpy as np

    from npgpt.generation import generate
    from npgpt.generation.sample import token_probs
    from npgpt.random_stream import uniforms
    from npgpt.runs.duet import compare_texts
    from npgpt.training import init
    from npgpt.tree import tree_map

    config = gpt2.Config(9, context_length=4, layers=1, heads=1, channels=4)
    params = tree_map(lambda weight: 20 * weight, init(gpt2, config, 1, np.float64))
    start = [0, 5]
    text = list(generate(gpt2, params, config, start, 12, temperature=2.0, seed=seed))
    other = [*text[:place], (text[place] + 1) % 9, *text[place + 1:]]
    found = compare_texts(text, other, gpt2, params, config, start, seed, 2.0)
    assert (found["equal"], found["place"], found["numpy"]) == (False, place, text[place])
    window = [0, 5]
    for token in text[:place]:  # a full window goes on from its last half
        window = [*window, token] if len(window) < 4 else [window[-1], token]
    logits, _ = gpt2.forward(params, np.array([window]), config)
    reached = np.cumsum(token_probs(logits[0, -1], 2.0))
    u = uniforms((12,), seed, 0, "sample")[place]
    assert (reached <= u).sum() == text[place]
    assert found["distance"] == pytest.approx(np.abs(reached - u).min(), rel=1e-6)


def test_a_text_that_parts_far_from_a_boundary_is_no_tie():
    import numpy as np

    from npgpt.runs.duet import compare_texts, window_start
    from npgpt.training import init

    config = gpt2.Config(5, context_length=4, layers=1, heads=1, channels=4)
    params = init(gpt2, config)
    found = compare_texts([1, 2, 3], [1, 2, 4], gpt2, params, config, [0], 1, 0.8)
    assert (found["equal"], found["place"], found["ids"]) == (False, 2, [0, 1, 2])
    assert found["tie"] == (found["distance"] < 1e-5)
    assert compare_texts([1, 2], [1, 2], gpt2, params, config, [0], 1, 0.8)["equal"]
    # the windows of `generate`: full at 4, then from the last two on
    assert [window_start(1, n, 4) for n in range(1, 9)] == [0, 0, 0, 0, 3, 3, 3, 6]
    # a prompt of 7: at first its last four
    assert [window_start(7, n, 4) for n in range(7, 12)] == [3, 6, 6, 6, 9]
    assert np.isfinite(found["distance"])


@pytest.mark.usefixtures("no_pictures")
def test_a_second_ctrl_c_stops_at_once(npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.training import Trainer

    def pressed(*arguments):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "step", pressed)
    status, out, err = npgpt("train", *flags(corpus=corpus), "--out", tmp_path / "run")
    assert status == 130 and err.endswith("stopped\n") and "Traceback" not in err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash, which tells a pipe's status")
def test_a_closed_pipe_is_no_verdict():
    line = "from npgpt.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"
    for command in ("gradcheck --layer gelu --json", "exercise"):
        done = subprocess.run(
            f'"{sys.executable}" -c "{line}" {command} | true; exit ${{PIPESTATUS[0]}}',
            shell=True, executable=shutil.which("bash"), capture_output=True)
        assert done.returncode == 141 and done.stderr == b""


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
    done = python("import sys; sys.modules['torch'] = None; import npgpt.cli.torch_half as door;"
                  " sys.exit(door.main())")
    assert done.returncode == 2 and done.stderr.startswith("error: torch is not installed: pip")


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


@pytest.mark.usefixtures("no_pictures")
def test_a_run_is_told_where_it_lies_against_the_recorded_curve(
        npgpt, tmp_path, corpus, monkeypatch):
    from npgpt.runs import expected
    from npgpt.runs.run import plan_run
    from npgpt.runs.settings import complete

    line = ["train", "--corpus", corpus, "--steps", 2, "--out"]
    assert json.loads(npgpt(*line, tmp_path / "one", "--json")[1])["expected"] is None
    curve = expected.record(tmp_path / "one")
    assert list(curve["validation_loss"]) == ["0", "2"]
    file = tmp_path / "expected.json"
    monkeypatch.setattr(expected, "FILE", file)
    file.write_text(json.dumps([curve]))
    assert "as expected" in npgpt(*line, tmp_path / "two")[1]
    run = plan_run(tmp_path / "one", complete({"corpus": str(corpus), "steps": 2}), gpt2)
    losses = curve["validation_loss"]
    for moved, words in (  # the last step counts, above or below
            ({"0": 9.0}, "at step 2: [+-]0.0000, as expected"),
            ({"2": losses["2"] - 0.1}, "[+]0.1000, more than 0.02 off"),
            ({"2": losses["2"] + 0.1}, "-0.1000, more than 0.02 off")):
        file.write_text(json.dumps([{**curve, "validation_loss": {**losses, **moved}}]))
        assert re.search(words, expected.compare(run))
    other = plan_run(run.path, complete({"corpus": str(corpus), "steps": 2, "seed": 2}), gpt2)
    assert expected.compare(other) is None
    file.write_text(json.dumps([{**curve, "sha256": "0"}]))
    assert expected.compare(run) is None


def test_the_recorded_curves_are_of_default_runs():
    from npgpt.runs.expected import FILE

    curves = json.loads(FILE.read_text())
    assert {curve["corpus"] for curve in curves} == {"python-docs", "stories"}
    for curve in curves:
        assert len(curve["sha256"]) == 64 and str(curve["steps"]) in curve["validation_loss"]
