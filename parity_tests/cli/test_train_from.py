"""train --from: new runs that start from the weights of others."""

import json
import shutil

import numpy as np
import pytest

from npgpt.models import gpt2
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.log import read_log
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_leaves, tree_map
from parity_tests.runs.harm import edit
from parity_tests.runs.run_checks import flags, log_of, refused

pytestmark = pytest.mark.usefixtures("no_pictures")
both = pytest.mark.parametrize("command", ["npgpt", "torchgpt"])
# no sizes: those of the checkpoint
LINE = {"layers": None, "heads": None, "channels": None, "context_length": None, "steps": 3,
        "decay_steps": 3, "evaluate_every": 3, "evaluate_batches": None, "batch_size": 4}


@pytest.fixture
def saved(tmp_path, corpus):
    """A checkpoint of odd sizes with weights of its own, its own tokenizer, and no run.json."""
    tokenizer = CharacterTokenizer.train([corpus.read_text(), "\n!?"])
    config = gpt2.Config(tokenizer.vocab_size, 12, 1, 3, 6, tied=True)
    params = tree_map(lambda weight: 3 * weight, init(gpt2, config, 5))
    save_checkpoint(tmp_path / "saved", config, params, tokenizer)
    return tmp_path / "saved"


def settings_of(path):
    return json.loads((path / "run.json").read_text())["settings"]


@both
def test_sizes_weights_and_tokenizer_come_from_there(request, tmp_path, corpus, saved, command):
    run, out = request.getfixturevalue(command), tmp_path / "run"
    line = flags(corpus=corpus, **LINE, learning_rate=1e-12, weight_decay=0)
    status, _, err = run("train", "--from", saved, *line, "--out", out)
    assert status == 0, err
    one, other = load_checkpoint(saved), load_checkpoint(out)
    assert one.config == other.config and one.tokenizer.to_json() == other.tokenizer.to_json()
    for (name, a), (_, b) in zip(tree_leaves(one.params), tree_leaves(other.params)):
        np.testing.assert_allclose(a, b, atol=1e-9, err_msg=name)
    settings = settings_of(out)
    assert settings["start_from"] == str(saved)
    assert [settings[name] for name in ("layers", "heads", "channels", "tied", "context_length")
            ] == [1, 3, 6, True, 12]


@both
def test_the_first_loss_is_that_of_the_weights(request, tmp_path, corpus, command):
    """Of a run that has learned: its validation goes on where it was."""
    run = request.getfixturevalue(command)
    line = flags(corpus=corpus, steps=40, decay_steps=40, learning_rate=0.01, evaluate_batches=None,
                 evaluate_every=40)
    assert run("train", *line, "--out", tmp_path / "one")[0] == 0
    last = log_of(tmp_path / "one")[-1]["validation_loss"]
    for start in ("one", "one/best"):
        out = tmp_path / f"from {start.replace('/', ' ')}"
        more = flags(corpus=corpus, **LINE)
        assert run("train", "--from", tmp_path / start, *more, "--out", out)[0] == 0
        first = read_log(out)[0]
        assert first["step"] == 0
        assert first["validation_loss"] == pytest.approx(last, abs=1e-4)


@both
def test_a_killed_run_starts_from_there_again(request, tmp_path, corpus, saved, command):
    run = request.getfixturevalue(command)
    line = ["train", "--from", saved, *flags(corpus=corpus, **LINE)]
    for name in ("whole", "killed"):
        assert run(*line, "--out", tmp_path / name)[0] == 0
    killed = tmp_path / "killed"
    for file in ("training.safetensors", "model.safetensors", "log.jsonl"):
        (killed / file).unlink()
    shutil.rmtree(killed / "best")
    assert run("train", "--out", killed, "--resume")[0] == 0
    same = [(path / "model.safetensors").read_bytes() for path in (tmp_path / "whole", killed)]
    assert same[0] == same[1]
    # but not from others
    for file in ("training.safetensors", "model.safetensors", "log.jsonl"):
        (killed / file).unlink()
    shutil.rmtree(killed / "best")
    found = load_checkpoint(saved)
    save_checkpoint(saved, found.config, tree_map(lambda weight: 2 * weight, found.params))
    refused(run("train", "--out", killed, "--resume"), "not those that the run started from")


def test_both_packages_go_the_same_way(npgpt, torchgpt, tmp_path, corpus, saved):
    line = ["train", "--from", saved, *flags(corpus=corpus, **LINE, dtype="float64")]
    assert npgpt(*line, "--out", tmp_path / "a")[0] == 0
    assert torchgpt(*line, "--out", tmp_path / "b", "--by-hand", "--device", "cpu")[0] == 0
    assert torchgpt(*line, "--out", tmp_path / "c", "--device", "cpu")[0] == 0
    logs = [log_of(tmp_path / name) for name in "abc"]
    for entries in zip(*logs, strict=True):
        losses = [entry.get("train_loss", entry.get("validation_loss")) for entry in entries]
        assert max(losses) - min(losses) < 1e-9


@both
def test_a_shorter_context_cuts_the_positions(request, tmp_path, corpus, saved, command):
    run, out = request.getfixturevalue(command), tmp_path / "run"
    line = flags(corpus=corpus, **{**LINE, "context_length": 5}, learning_rate=1e-12,
                 weight_decay=0)
    assert run("train", "--from", saved, *line, "--out", out)[0] == 0
    one, other = load_checkpoint(saved), load_checkpoint(out)
    assert other.config.context_length == 5
    np.testing.assert_allclose(
        one.params["positions"]["weight"][:5], other.params["positions"]["weight"], atol=1e-9)
    line = flags(corpus=corpus, **{**LINE, "context_length": 13})
    refused(run("train", "--from", saved, *line, "--out", tmp_path / "other"),
            "context_length is 13", "has 12")


def test_rows_that_only_pad_the_table_are_cut(npgpt, tmp_path, corpus, saved):
    found = load_checkpoint(saved)
    V, C = found.config.vocab_size, found.config.channels
    padded = gpt2.Config(V + 7, 12, 1, 3, C, tied=True)
    params = dict(found.params)
    table = np.full((V + 7, C), 100, np.float32)
    table[:V] = params["tokens"]["weight"]
    params["tokens"] = {"weight": table}
    save_checkpoint(tmp_path / "padded", padded, params)
    shutil.copy(saved / "tokenizer.json", tmp_path / "padded")
    line = flags(corpus=corpus, **LINE)
    losses = []
    for start in (saved, tmp_path / "padded"):
        out = tmp_path / f"from {start.name}"
        status, _, err = npgpt("train", "--from", start, *line, "--out", out)
        assert status == 0, err
        losses.append([entry.get("train_loss") for entry in read_log(out)])
    assert losses[0] == losses[1]
    assert load_checkpoint(out).config.vocab_size == V


@both
@pytest.mark.parametrize(("harm", "more", "words"), [
    (None, ["--layers", 2], ["--layers cannot be given with --from"]),
    (None, ["--untied", "--heads", 3], ["--heads, --tied/--untied cannot be given"]),
    (None, ["--tokenizer", "words"], ["--tokenizer cannot be given with --from"]),
    (None, ["--check"], ["leave out --from"]),
    (lambda path: (path / "tokenizer.json").unlink(), [], ["has no tokenizer"]),
    (lambda path: shutil.rmtree(path), [], ["there is no checkpoint at"]),
    (lambda path: (path / "model.safetensors").unlink(), [], ["holds no weights yet"]),
    (edit("config.json", model_type="nosuch"), [], ["model_type is 'nosuch'"]),
])
def test_what_cannot_be_started_from(
        request, tmp_path, corpus, saved, command, harm, more, words):
    if harm:
        harm(saved)
    run = request.getfixturevalue(command)
    line = flags(corpus=corpus, **LINE)
    refused(run("train", "--from", saved, *line, "--out", tmp_path / "run", *more), *words)
    assert not (tmp_path / "run").exists()


def test_a_text_with_other_characters_is_refused(npgpt, tmp_path, saved):
    other = tmp_path / "other.txt"
    other.write_text("".join(f"Ünicode {i}\n" for i in range(300)))
    refused(npgpt("train", "--from", saved, *flags(corpus=other, **LINE),
                  "--out", tmp_path / "run"), "no character")


def test_gpt_2_s_own_files_are_trained_further(npgpt, torchgpt, tmp_path, corpus):
    """vocab.json and merges.txt, as transformers wrote them once, and no tokenizer.json."""
    transformers = pytest.importorskip("transformers")
    from npgpt.text import BytePairTokenizer

    path = tmp_path / "gpt2"
    pairs = BytePairTokenizer.train(corpus.read_text(), 280)
    V = pairs.vocab_size
    theirs = transformers.GPT2Config(vocab_size=V, n_positions=16, n_embd=8, n_layer=1, n_head=2)
    transformers.GPT2LMHeadModel(theirs).save_pretrained(path)
    pairs.save(path / "tokenizer.json")
    for run in (npgpt, torchgpt):
        out = tmp_path / run.__qualname__.split(".")[0]
        status, _, err = run("train", "--from", path, *flags(corpus=corpus, **LINE), "--out", out)
        assert status == 0, err
        assert settings_of(out)["tied"] is True
        assert transformers.GPT2LMHeadModel.from_pretrained(out).config.n_positions == 16
        shutil.rmtree(out)


def test_a_run_without_it_is_as_before(npgpt, tmp_path, trained):
    """An older run.json has no start_from."""
    shutil.copytree(trained, tmp_path / "run")
    settings = settings_of(tmp_path / "run")
    assert settings.pop("start_from") is None
    edit("run.json", settings=settings)(tmp_path / "run")
    assert npgpt("train", "--out", tmp_path / "run", "--resume", "--steps", 3)[0] == 0
