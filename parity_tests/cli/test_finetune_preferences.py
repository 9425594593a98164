"""npgpt finetune --method dpo, grpo and dr-grpo: in both packages, stopped and gone on with."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

from npgpt.cli.main import main
from npgpt.finetuning.rows import take
from npgpt.models import llama
from npgpt.runs import preferences, rewards
from npgpt.runs.checkpoint import save_checkpoint
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.training import init
from parity_tests.runs.run_checks import same_bits
from torchgpt.cli.main import main as torch_main

CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:?!'\n"
NAMES = ["Emma", "Ben", "Lily", "Tom", "Anna", "Max", "Mia", "Leo"]
PAIRS = [{"prompt": [{"role": "user", "content": f"Who has {n} balls?"}],
          "chosen": [{"role": "assistant", "content": name}],
          "rejected": [{"role": "assistant", "content": NAMES[(n + 1) % 8]}]}
         for n, name in enumerate(NAMES * 2)]
CHATS = [{"messages": pair["prompt"] + pair["chosen"]} for pair in PAIRS]


@pytest.fixture
def there(tmp_path):
    tokenizer = CharacterTokenizer.train(CHARACTERS, special_tokens=["<|endoftext|>"])
    config = llama.Config(tokenizer.vocab_size, context_length=96, layers=1, heads=2, kv_heads=1,
                          channels=16)
    save_checkpoint(tmp_path / "base", config, init(llama, config, 1), tokenizer)
    for name, rows in (("pairs", PAIRS), ("chats", CHATS)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def run(capsys, *argv, command=main):
    status = command([str(word) for word in argv])
    out, err = capsys.readouterr()
    return status, out, err


def tuned(capsys, there, name, method, *more, command=main, steps=4):
    data = there / ("pairs.jsonl" if method == "dpo" else "chats.jsonl")
    return run(capsys, "finetune", there / "base", "--data", data, "--out", there / name,
               "--method", method, "--steps", steps, "--batch-size", 2, "--decay-steps", 4,
               "--warmup-steps", 1, "--learning-rate", 0.01, "--save-every", 2,
               "--sample-every", 0, "--evaluate-every", 2, *more, command=command)


def log(there, name):
    return [json.loads(line) for line in (there / name / "log.jsonl").read_text().splitlines()]


@pytest.mark.acceptance
@pytest.mark.parametrize("method", ["dpo", "grpo", "dr-grpo"])
def test_both_packages_and_on_again(there, capsys, method):
    group = () if method == "dpo" else ("--group", 3)
    status, out, err = tuned(capsys, there, "numpy", method, *group)
    assert status == 0, err
    assert ("nats a pair" if method == "dpo" else "wrong answers at step 4: 100.0%") in out
    status, _, err = tuned(capsys, there, "torch", method, *group, "--device", "cpu",
                           command=torch_main)
    assert status == 0, err
    losses = [[line["train_loss"] for line in log(there, name) if "train_loss" in line]
              for name in ("numpy", "torch")]
    # before the first step the two packages' answers are the same
    assert abs(losses[0][0] - losses[1][0]) < 1e-5
    if method == "dpo":
        assert abs(losses[0][0] - np.log(2)) < 1e-6
        assert np.allclose(*losses, rtol=1e-4)
        assert any("chosen" in line for line in log(there, "numpy"))
    else:
        assert {line["step"] for line in log(there, "numpy") if "reward" in line} == {1, 2, 3, 4}
    # stopped after two steps, gone on with
    assert tuned(capsys, there, "parts", method, *group, steps=2)[0] == 0
    status, _, err = run(capsys, "finetune", "--out", there / "parts", "--resume", "--steps", 4)
    assert status == 0, err
    assert same_bits(there / "numpy", there / "parts")


@pytest.mark.acceptance
@pytest.mark.parametrize("method", ["dpo", "grpo", "dr-grpo"])
def test_compiled_loops_take_the_same_steps(there, capsys, monkeypatch, method):
    pytest.importorskip("numba", reason="compiled loops need the extra compile")
    monkeypatch.setattr(rewards, "right", lambda answer, test: len(answer) % 2)
    for name, more in (("plain", ()), ("loops", ("--compile",))):
        status, _, err = tuned(capsys, there, name, method, *more)
        assert status == 0, err
    plain, loops = ([line["grad_norm"] for line in log(there, name) if "grad_norm" in line]
                    for name in ("plain", "loops"))
    assert any(plain) and np.allclose(plain[0], loops[0], rtol=1e-4)


@pytest.mark.usefixtures("no_pictures")
def test_a_run_on_rewards_tells_how_many_answers_are_wrong(there, capsys):
    status, out, err = tuned(capsys, there, "grpo", "grpo", "--group", 2, steps=1)
    assert status == 0, err
    assert "\nwrong answers at step 1: 100.0%\n" in out and "validation loss" not in out


@pytest.mark.usefixtures("no_pictures")
def test_only_the_pairs_that_are_read_are_measured(there, capsys):
    """And a run that goes on measures the others as one that was never stopped does: by the
    weights at the start."""
    def sums(name):
        return load_file(there / name / "reference.safetensors")

    status, _, err = tuned(capsys, there, "parts", "dpo", steps=2)
    assert status == 0 and "log-probabilities at the start, pair" in err
    count = len(sums("parts")["train"])
    known = np.flatnonzero(~np.isnan(sums("parts")["train"]).any(axis=-1))
    assert known.tolist() == sorted(take(count, 4, 1, 1).tolist()) and count > 4
    assert np.isfinite(sums("parts")["validation"]).all()
    assert tuned(capsys, there, "whole", "dpo", steps=4)[0] == 0
    again = ("finetune", "--out", there / "parts", "--resume", "--steps")
    assert run(capsys, *again, 4)[0] == 0
    for name, array in sums("whole").items():
        assert np.array_equal(array, sums("parts")[name], equal_nan=True)
    assert same_bits(there / "whole", there / "parts")
    (there / "base").rename(there / "moved")
    status, _, err = run(capsys, *again, 5)
    assert status == 2 and err.splitlines()[-1].startswith("error: there is no checkpoint at")


def test_a_pair_is_measured_in_the_batch_that_reads_it_first(tmp_path, monkeypatch):
    """And never again: 3 pairs, 2 a step, so that each second batch has old ones and new."""
    calls = []

    def sums_of(run, params, pairs, report=None):
        calls.append(pairs)
        return np.full((len(pairs), 2), len(calls), np.float32)

    monkeypatch.setattr(preferences, "sums_of", sums_of)
    monkeypatch.setattr(preferences, "params_at_start", lambda run, trainer: None)
    settings = SimpleNamespace(steps=4, batch_size=2, seed=3)
    data = SimpleNamespace(train=["a", "b", "c"], validation=["d"])
    run = SimpleNamespace(path=tmp_path, settings=settings, data=data)
    found = preferences.references(run, None)
    first = {}
    for step in range(1, 5):
        for number in take(3, 2, 3, step).tolist():
            first.setdefault(number, step)
    assert len(first) == 3 and set(first.values()) == {1, 2}
    # the first call measures the validation pairs
    assert found["train"].tolist() == [[first[number] + 1] * 2 for number in range(3)]
    assert len(calls) == 1 + len(set(first.values()))
    # nor is the start needed then
    monkeypatch.delattr(preferences, "params_at_start")
    assert preferences.references(run, None)["train"].tolist() == found["train"].tolist()
    assert len(calls) == 1 + len(set(first.values()))


@pytest.mark.parametrize(("method", "options", "said"), [
    ("dpo", ("--beta", "0"), "beta is 0: give a number above 0"),
    ("grpo", ("--group", "1"), "group is 1: give 2 or more"),
    ("dpo", ("--pack",), "--pack does not go with --method dpo"),
    ("grpo", ("--dropout", "0.1"), "--dropout does not go with --method grpo"),
    ("dpo", ("--group", "3"), "--group goes with --method grpo or dr-grpo"),
    ("grpo", ("--beta", "3"), "--beta goes with --method dpo"),
    ("ppo", (), "method is 'ppo': give full or lora or dpo"),
])
def test_what_is_refused(there, capsys, method, options, said):
    status, out, err = tuned(capsys, there, "refused", method, *options)
    assert status == 2 and said in err and err.count("\n") == 1
    assert not (there / "refused").exists()


def test_lines_that_are_no_pairs(there, capsys):
    rows = [{"prompt": [], "chosen": [], "rejected": []}, {"messages": []}, 3,
            {**PAIRS[0], "rejected": PAIRS[0]["chosen"]}]
    (there / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, _, err = tuned(capsys, there, "refused", "dpo")
    assert status == 2 and "has no pair to learn from" in err
    assert "1 with the same answer twice" in err and "2 without the lists of messages prompt" in err


def test_the_share_of_pairs_whose_chosen_answer_gains_more(monkeypatch):
    sums = np.array([[-1.0, -5.0], [-2.0, -3.0], [-4.0, -1.0]], np.float32)
    reference = np.array([[-2.0, -4.0], [-2.0, -4.0], [-6.0, -2.0]], np.float32)
    gains = [2.0, -1.0, 1.0]  # chosen less rejected, each less the reference
    monkeypatch.setattr(preferences, "sums_of", lambda run, params, pairs: sums)
    run = SimpleNamespace(data=SimpleNamespace(validation=[None] * 3))
    loss, chosen = preferences.judge_pairs(run, None, reference, 0.5)
    assert chosen == pytest.approx(2 / 3)
    assert loss == pytest.approx(np.mean(np.log1p(np.exp(-0.5 * np.array(gains)))), rel=1e-6)
