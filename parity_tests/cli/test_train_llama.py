"""--model llama, as it is typed: trained, resumed, sampled, and played as a duet."""

import json

import pytest

from npgpt.models import llama
from npgpt.runs.checkpoint import load_checkpoint
from parity_tests.runs.run_checks import flags, log_of, refused, same_bits
from parity_tests.trees import side_by_side

LLAMA = ["--model", "llama"]
DUET = {"evaluate_every": None, "decay_steps": None, "steps": 6}


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_resumes_with_the_same_bits(npgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dropout=0.1), *LLAMA, "--kv-heads", 1, "--tied"]
    assert npgpt("train", *line, "--out", tmp_path / "whole")[0] == 0
    config = load_checkpoint(tmp_path / "whole").config
    assert isinstance(config, llama.Config) and config.tied
    assert (config.heads, config.kv_heads, config.head_size, config.hidden) == (2, 1, 4, 24)
    assert json.loads((tmp_path / "whole/config.json").read_text())["model_type"] == "llama"
    assert npgpt("train", *line, "--out", tmp_path / "parts", "--steps", 5)[0] == 0
    assert npgpt("train", "--out", tmp_path / "parts", "--resume", "--steps", 12)[0] == 0
    assert same_bits(tmp_path / "whole", tmp_path / "parts")
    status, text, _ = npgpt("sample", tmp_path / "whole", "--tokens", 20)
    assert status == 0 and text.strip()


@pytest.mark.usefixtures("no_pictures")
def test_torch_by_hand_and_by_autograd_train_the_same_model(npgpt, torchgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dtype="float64", dropout=0.1), *LLAMA, "--kv-heads", 1]
    assert npgpt("train", *line, "--out", tmp_path / "numpy")[0] == 0
    for name, more in (("hand", ["--by-hand"]), ("module", ["--shared-dropout"])):
        assert torchgpt("train", *line, *more, "--device", "cpu", "--out", tmp_path / name)[0] == 0
    each = [load_checkpoint(tmp_path / name).params for name in ("numpy", "hand", "module")]
    for name, by_numpy, by_hand, by_autograd in side_by_side(*each):
        assert abs(by_numpy - by_hand).max() <= 1e-10, name
        assert abs(by_numpy - by_autograd).max() <= 1e-10, name
    assert torchgpt("sample", tmp_path / "module", "--tokens", 5, "--device", "cpu")[0] == 0


def test_the_duet(npgpt, tmp_path, corpus):
    line = [*flags(corpus=corpus, dtype="float64", dropout=0.1, **DUET), *LLAMA, "--kv-heads", 1]
    status, text, _ = npgpt("duet", *line, "--device", "cpu", "--out", tmp_path / "duet")
    assert status == 0 and "token for token the same" in text
    last = log_of(tmp_path / "duet")[-1]
    assert last["difference"] <= 1e-9 and len(last["gradient_differences"]) == 12
    assert npgpt("inspect", tmp_path / "duet")[0] == 0


def test_options_that_do_not_fit(npgpt, torchgpt, tmp_path, corpus):
    line, out = ["train", *flags(corpus=corpus)], ["--out", tmp_path / "run"]
    refused(npgpt(*line, *out, "--kv-heads", 2), "no kv_heads", "leave out --kv-heads")
    refused(npgpt(*line, *out, *LLAMA, "--kv-heads", 3), "3 kv_heads do not divide 2 heads")
    refused(npgpt(*line, *out, *LLAMA, "--heads", 8), "head_size is 1", "even")
    for command in (npgpt, torchgpt):
        refused(command(*line, *out, "--model", "lama"), "model is 'lama'", "llama")
        refused(command("train", *out, "--resume", *LLAMA), "--model", "--resume")
        refused(command(*line, *out, *LLAMA, "--from", tmp_path), "--model", "--from")
    refused(npgpt("duet", *flags(corpus=corpus, **DUET), *out, "--model", "x"), "give gpt2, llama")
    assert not (tmp_path / "run").exists()


def test_the_checks_before_a_run(npgpt, torchgpt, corpus):
    line = ["train", *flags(corpus=corpus, channels=32, layers=2), *LLAMA, "--check"]
    for command in (npgpt, torchgpt):
        status, text, _ = command(*line, *(["--device", "cpu"] if command is torchgpt else []))
        assert status == 0 and "this model is fit to be trained" in text
