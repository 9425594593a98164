"""--model recurrent, as it is typed: trained, resumed, sampled, read, and played as a duet."""

import json

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.generation import generate, generate_batch
from npgpt.models import recurrent
from npgpt.runs.checkpoint import load_checkpoint
from npgpt.training import init
from parity_tests.runs.run_checks import flags, log_of, refused, same_bits
from parity_tests.trees import side_by_side

SIZES = {"layers": None, "heads": None}
RECURRENT = ["--model", "recurrent", "--truncate", 5]
DUET = {"evaluate_every": None, "decay_steps": None, "steps": 6}


@pytest.mark.acceptance
@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_resumes_with_the_same_bits(npgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dropout=0.1, **SIZES), *RECURRENT]
    assert npgpt("train", *line, "--out", tmp_path / "whole")[0] == 0
    found = json.loads((tmp_path / "whole/config.json").read_text())
    assert (found["model_type"], found["truncate"], found["context_length"]) == (
        "recurrent", 5, None)
    assert npgpt("train", *line, "--out", tmp_path / "parts", "--steps", 5)[0] == 0
    assert npgpt("train", "--out", tmp_path / "parts", "--resume", "--steps", 12)[0] == 0
    assert same_bits(tmp_path / "whole", tmp_path / "parts")
    # more than the 64 tokens of a training window, from prompts of two lengths
    status, text, _ = npgpt("sample", tmp_path / "whole", "--tokens", 80, "--prompt", "a",
                            "--prompt", "the")
    assert status == 0 and text.strip()
    status, text, _ = npgpt("inspect", tmp_path / "whole", "--token", "e")
    assert status == 0 and "recurrence" in text and "None" not in text
    refused(npgpt("inspect", tmp_path / "whole", "--text", "a"), "no attention to draw", "--text")


@pytest.mark.acceptance
@pytest.mark.usefixtures("no_pictures")
def test_torch_by_hand_and_by_autograd_train_the_same_model(npgpt, torchgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dtype="float64", dropout=0.1, **SIZES), *RECURRENT]
    assert npgpt("train", *line, "--out", tmp_path / "numpy")[0] == 0
    for name, more in (("hand", ["--by-hand"]), ("module", ["--shared-dropout"])):
        assert torchgpt("train", *line, *more, "--device", "cpu", "--out", tmp_path / name)[0] == 0
    each = [load_checkpoint(tmp_path / name).params for name in ("numpy", "hand", "module")]
    for name, by_numpy, by_hand, by_autograd in side_by_side(*each):
        assert abs(by_numpy - by_hand).max() <= 1e-10, name
        assert abs(by_numpy - by_autograd).max() <= 1e-10, name
    assert torchgpt("train", "--out", tmp_path / "module", "--resume", "--steps", 14,
                    "--device", "cpu")[0] == 0
    assert torchgpt("sample", tmp_path / "module", "--tokens", 5, "--device", "cpu")[0] == 0


@pytest.mark.acceptance
def test_the_duet(npgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dtype="float64", dropout=0.1, **SIZES, **DUET), *RECURRENT]
    status, text, _ = npgpt("duet", *line, "--device", "cpu", "--out", tmp_path / "duet")
    assert status == 0 and "token for token the same" in text
    assert log_of(tmp_path / "duet")[-1]["difference"] <= 1e-9


@pytest.mark.acceptance
def test_the_checks_before_a_run(npgpt, torchgpt, corpus):
    line = ["train", *flags(corpus=corpus, **{**SIZES, "channels": 64}), *RECURRENT[:2], "--check"]
    for command in (npgpt, torchgpt):
        status, text, _ = command(*line, *(["--device", "cpu"] if command is torchgpt else []))
        assert status == 0 and "this model is fit to be trained" in text


def test_options_that_do_not_fit(npgpt, tmp_path, corpus):
    line, out = ["train", *flags(corpus=corpus, **SIZES)], ["--out", tmp_path / "run"]
    refused(npgpt(*line, *out, *RECURRENT, "--layers", 2), "no layers", "leave out --layers")
    refused(npgpt(*line, *out, "--truncate", 2), "no truncate", "leave out --truncate")
    refused(npgpt(*line, *out, *RECURRENT[:3], 0), "truncate is 0", "at least 1")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given, what", [
    ({"channels": 0}, "channels is 0"), ({"truncate": 1.5}, "truncate is 1.5"),
    ({"context_length": 8}, "has no limit")])
def test_sizes_that_make_no_sense(given, what):
    with pytest.raises(InputError, match=what):
        recurrent.Config(5, **given)


def test_a_cache_is_a_new_one_so_that_a_call_can_be_repeated():
    config = recurrent.Config(7, channels=4)
    params = init(recurrent, config, dtype=np.float64)
    cache = {"state": np.zeros((1, 4)), "start": 0}
    first = recurrent.forward(params, np.array([[1, 2]]), config, cache=cache)
    again = recurrent.forward(params, np.array([[1, 2]]), config, cache=cache)
    assert np.array_equal(first[0], again[0]) and not cache["state"].any()
    assert first[1]["start"] == 2 and first[1]["state"].any()


def test_texts_of_unequal_length_need_no_mask():
    config = recurrent.Config(7, channels=6)
    params = init(recurrent, config, dtype=np.float64)
    params["head"]["weight"] *= 50              # so that there is something to choose
    prompts, rows = [[1, 2, 3, 4], [5], [6, 0]], [[], [], []]
    for row, token, _ in generate_batch(recurrent, params, config, prompts, 12):
        rows[row].append(token)
    for b, prompt in enumerate(prompts):
        alone = list(generate(recurrent, params, config, prompt, 12, seed=1 + b))
        assert alone == rows[b] and len(set(alone)) > 1
