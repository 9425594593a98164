"""npgpt duet, as it is typed, and the comparison of its two texts."""

from functools import partial

import numpy as np
import pytest

from npgpt.generation import generate
from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.training import init
from parity_tests.runs.run_checks import TINY, flags, log_of

DUET = {"evaluate_every": None, "decay_steps": None, "steps": 10}


def test_the_duet(npgpt, tmp_path, corpus):
    out = tmp_path / "duet"
    line = flags(corpus=corpus, dtype="float64", dropout=0.1, **DUET)
    status, text, err = npgpt("duet", *line, "--device", "cpu", "--out", out)
    assert status == 0
    assert "token for token the same" in text and "max|a−b| / max|b|" in text
    assert text.index("validation loss, torch:") < text.index(
        "training loss over as much of the training text: ")
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

    from npgpt.runs.duet import compare_texts, window_start

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
