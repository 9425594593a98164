"""npgpt finetune --method dpo, grpo and dr-grpo: in both packages, stopped and gone on with."""

import json

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.models import llama
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
    assert ("nats a pair" if method == "dpo" else "of the answers are wrong") in out
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
