"""npgpt evaluate: adapters beside models, and what a training took."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from npgpt.runs import evaluation_picture
from npgpt.runs.adapters import merged, save_adapter
from npgpt.runs.answers import prompt_of
from npgpt.runs.chat_data import chat_of
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.evaluate import Row, drawn_right
from npgpt.runs.evaluation_picture import draw_evaluation
from npgpt.runs.seeds import FIGURES, SharedRow, spread
from npgpt.text.corpora.chats import load_chats
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.training import adamw_init, init
from parity_tests.finetuning.small_models import adapter, base
from parity_tests.runs.run_checks import refused

LETTERS = "abcdefghijklmnopqrstuvwxyz01234AQ: \n"
ASKED = "abc"


@pytest.fixture(scope="module")
def made():
    return *base("llama"), adapter("llama", 3)


@pytest.fixture
def there(tmp_path, made):
    """A model, an adapter of it, both in one, and conversations."""
    model, config, params, ours = made
    tokenizer = CharacterTokenizer.train(LETTERS, special_tokens=["<|endoftext|>"])
    for name, weights in (("base", params), ("merged", merged(params, ours))):
        save_checkpoint(tmp_path / name, config, weights, tokenizer)
    save_adapter(tmp_path / "mine", replace(ours, base=str(tmp_path / "base")), config, model)
    chats = [[{"role": "user", "content": ASKED}, {"role": "assistant", "content": letter}]
             for letter in LETTERS[:26]]
    (tmp_path / "chats.jsonl").write_text(
        "".join(json.dumps({"messages": each}) + "\n" for each in chats))
    return tmp_path


def evaluated(npgpt, there, *names, more=()):
    status, out, err = npgpt("evaluate", *(there / name for name in names), "--data",
                             there / "chats.jsonl", "--json", *more)
    assert status == 0, err
    return json.loads(out)


def write_run(path, seed=1, log=(), **about):
    (path / "run.json").write_text(json.dumps({
        "settings": {"seed": seed, "start_from": "base"}, **about}))
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))


def test_an_adapter_counts_as_the_model_that_it_makes(there, npgpt):
    before, mine, whole = evaluated(npgpt, there, "base", "mine", "merged")["rows"]
    figures = ("exact_match", "answer_loss", "length", "parameters")
    assert [mine[name] for name in figures] == [whole[name] for name in figures]
    assert mine["answer_loss"] != before["answer_loss"]
    assert mine["trained"] == 2 * 3 * (12 + 24 + 12 + 8)
    assert before["trained"] == whole["trained"] == 0


def test_how_often_a_drawn_answer_is_right(there, npgpt, made):
    """The probability of its letter, times that of the end after it; of several answers the
    last one counts. The row holds the mean over the tests."""
    model, config, params, _ = made
    config = replace(config, context_length=64)
    checkpoint = replace(load_checkpoint(there / "base"), config=config)
    chat, _ = chat_of(checkpoint.path, checkpoint.tokenizer)
    one, other = ([{"role": "user", "content": "a"}, {"role": "assistant", "content": letter}]
                  for letter in "bc")
    both = [*one, {"role": "user", "content": "d"}, {"role": "assistant", "content": "e"}]

    def by_hand(test):
        prompt = prompt_of(chat, test)
        ids, _ = chat.learnt(test)
        logits = model.forward(params, np.array([ids]), config)[0][0].astype(np.float64)
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        end = ids.index(checkpoint.tokenizer.special_ids["<|endoftext|>"], len(prompt))
        return float(np.prod([probs[i - 1, ids[i]] for i in range(len(prompt), end + 1)]))

    for tests in ([one], [other], [both], [one, other]):
        expected = [by_hand(test) for test in tests]
        assert drawn_right(checkpoint, model, chat, tests) == pytest.approx(expected, rel=1e-4)
    (row,) = evaluated(npgpt, there, "base")["rows"]
    tests = load_chats(str(there / "chats.jsonl")).test
    assert row["drawn"] == pytest.approx(np.mean([by_hand(test) for test in tests]), rel=1e-4)


def test_an_adapter_without_its_model_is_refused(there, npgpt):
    """In one line that says what to do."""
    words = ("evaluate", there / "mine", "--data", there / "chats.jsonl")
    shutil.move(there / "base", there / "moved")
    refused(npgpt(*words), "holds a LoRA adapter of", "npgpt adapter merge MODEL")
    file = there / "mine/adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "base_model_name_or_path": None}))
    refused(npgpt(*words), "names no base model", "npgpt adapter merge MODEL")
    # as a run that says itself where it started from
    (there / "mine/run.json").write_text(
        json.dumps({"settings": {"start_from": str(there / "moved")}}))
    assert npgpt(*words)[0] == 0


def test_time_and_memory_are_those_of_the_log(there, npgpt):
    steps = [{"step": step, "train_loss": 1.0, "seconds": 30.5} for step in (1, 2)]
    saves = [{"step": 1, "memory_mb": 250.0}, {"step": 2, "memory_mb": 240.0}]
    write_run(there / "mine", log=[steps[0], saves[0], steps[1], saves[1]])
    before, mine = evaluated(npgpt, there, "base", "mine")["rows"]
    assert (mine["seconds"], mine["memory_mb"]) == (61.0, 250.0)
    assert (before["seconds"], before["memory_mb"]) == (None, None)
    status, out, _ = npgpt("evaluate", there / "base", there / "mine", "--data",
                           there / "chats.jsonl")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert status == 0
    assert [line[-2:] for line in lines if line[0] == "base"] == [["–", "–"]]
    assert [line[-3:] for line in lines if line[0] == "mine"] == [["1:01", "250", "MB"]]
    # before seconds were recorded: known of a training on windows of a text alone
    old = {"step": 1, "train_loss": 1.0, "tokens_per_second": 100.0}
    sizes = {"seed": 1, "batch_size": 5, "context_length": 16}
    for name, tuning in (("merged", {}), ("mine", {"finetune": {"method": "lora"}})):
        write_run(there / name, log=[old, *steps[1:]], settings=sizes, **tuning)
    text, mine = evaluated(npgpt, there, "merged", "mine")["rows"]
    assert (text["seconds"], mine["seconds"]) == (5 * 16 / 100 + 30.5, None)
    write_run(there / "mine", log=[{"step": 1, "train_loss": 1.0}, *steps[1:]])
    assert evaluated(npgpt, there, "mine")["rows"][0]["seconds"] is None


def test_conversations_that_do_not_fit_are_refused(there, npgpt):
    long = [{"role": "user", "content": "a" * 20}, {"role": "assistant", "content": "b"}]
    (there / "long.jsonl").write_text(json.dumps({"messages": long}) + "\n")
    refused(npgpt("evaluate", there / "base", "--data", there / "long.jsonl"),
            "no validation conversation", "1 longer than the context of 16 tokens")


@pytest.mark.parametrize(("train", "all_of_them"), [("", True), ("norm_*,attention.v", False)])
def test_trained_are_the_weights_that_moved(there, npgpt, train, all_of_them):
    write_run(there / "merged", finetune={"method": "full", "train": train})
    (row,) = evaluated(npgpt, there, "merged")["rows"]
    _, config, _ = base("llama")
    norms_and_values = config.layers * config.channels * (
        2 + config.head_size * config.kv_heads)
    assert row["trained"] == (row["parameters"] if all_of_them else norms_and_values)


def test_runs_that_differ_in_their_seed_alone_share_a_row(there, npgpt):
    """With the mean, the least and the most; neither a run of other settings, nor the same
    seed again, nor one that went less far."""
    model, config, _ = base("llama")
    names = []

    def add(name, seed, steps=(1,), method="full", batch_size=4, changed=0):
        params = init(model, config, 10 + changed)
        training = {"step": len(steps), "best": None, "optimizer": adamw_init(params)}
        training["optimizer"]["step"] = len(steps)
        shutil.copytree(there / "base", there / name)
        save_checkpoint(there / name, config, params, training=training)
        (there / name / "run.json").write_text(json.dumps({
            "settings": {"seed": seed, "batch_size": batch_size, "heads": config.heads},
            "finetune": {"method": method}}))
        (there / name / "log.jsonl").write_text("".join(
            json.dumps({"step": n, "train_loss": 1.0, "seconds": seed}) + "\n" for n in steps))
        names.append(name)

    add("one", 1)
    add("lora", 2, method="lora")
    add("two", 2, changed=1)
    add("larger", 3, batch_size=8)
    add("again", 2)
    add("longer", 5, steps=(1, 2))
    add("three", 6, changed=2)
    found = evaluated(npgpt, there, "base", *names)
    assert len(found["rows"]) == 8
    shared = [[name.rpartition("/")[2] for name in each["models"]] for each in found["summary"]]
    assert shared == [["base"], ["one", "two", "three"], ["lora"], ["larger"], ["again"],
                      ["longer"]]
    both = found["summary"][1]
    assert both["seeds"] == [1, 2, 6] and both["method"] == "full"
    assert both["seconds"] == {"mean": 3.0, "least": 1.0, "most": 6.0}
    losses = [row["answer_loss"] for row in found["rows"]
              if row["model"].endswith(("one", "two", "three"))]
    assert both["answer_loss"] == {"mean": pytest.approx(sum(losses) / 3),
                                   "least": min(losses), "most": max(losses)}
    status, out, _ = npgpt("evaluate", *(there / name for name in ("base", "one", "two")),
                           "--data", there / "chats.jsonl")
    lines = [line.split() for line in out.splitlines() if line.strip()]
    assert status == 0 and lines[0][1] == "runs"
    (line,) = [line for line in lines if line[:4] == ["one", "…", "two", "2"]]
    low, high = sorted(losses[:2])
    loss = line.index(f"({low:.3f}–{high:.3f})")
    assert line[loss - 1] == f"{(low + high) / 2:.3f}"
    out = npgpt("evaluate", there / "base", there / "one", "--data", there / "chats.jsonl")[1]
    assert "runs" not in out


def row(exact_match, answer_loss):
    return Row("", exact_match, {}, answer_loss, None, None, None, 1.0, 0, 1)


def test_the_picture_has_a_panel_for_each_figure_and_the_spread(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(
        evaluation_picture, "save_picture", lambda figure, file: drawn.append(figure))
    rows = [[row(0.0, 4.0)], [row(0.5, 2.0), row(0.8, 1.0), row(0.2, 1.5)]]
    shared = [SharedRow(names, [], method, each, {
        name: spread(getattr(one, name) for one in each) for name in FIGURES}, {})
        for names, method, each in ((["runs/base"], None, rows[0]),
                                    (["runs/a", "runs/b", "runs/c"], "full", rows[1]))]
    draw_evaluation(shared, tmp_path / "a.png")
    axes = [axis for axis in drawn[0].axes if axis.get_visible()]
    assert [axis.get_title(loc="left").split("  ")[0] for axis in axes] == [
        "exact match", "answer loss, nats a token"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["base", "a … c (full)"]
    for axis, points in zip(axes, ([0.5, 0.8, 0.2], [2.0, 1.0, 1.5])):
        lone, bar, rings, mean = (list(line.get_xdata()) for line in axis.get_lines())
        assert len(lone) == 1 and bar == [min(points), max(points)] and rings == points
        assert mean == [pytest.approx(sum(points) / 3)]


def test_the_picture_is_written_or_refused_before_the_work(there, npgpt):
    words = ("evaluate", there / "base", there / "mine", "--data", there / "chats.jsonl", "--plot")
    refused(npgpt(*words, there / "a.jpg"), "does not end in .png")
    status, out, _ = npgpt(*words, there / "a.png")
    assert status == 0 and f"picture: {there / 'a.png'}" in out
    assert (there / "a.png").read_bytes().startswith(b"\x89PNG")


def test_how_many_questions_are_asked_is_told_meanwhile(there, npgpt, monkeypatch):
    """On stderr, of each model; where it is no terminal, at most every few seconds."""
    monkeypatch.setattr("npgpt.cli.prepare.EVERY_SECONDS", 0)
    monkeypatch.setattr("npgpt.runs.answers.AT_ONCE", 1)
    status, out, err = npgpt("evaluate", there / "base", there / "mine", "--data",
                             there / "chats.jsonl", "--questions", 2)
    assert status == 0 and "questions 1/2" not in out
    told = [line.partition("/")[0] for line in err.splitlines()]
    assert told == [f"{name}: questions {done}" for name in ("base", "mine") for done in (0, 1, 2)]
