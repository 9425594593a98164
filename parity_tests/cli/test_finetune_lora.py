"""npgpt finetune --method lora: trained in NumPy and in PyTorch, stopped and gone on with,
and what is refused."""

import json
import shutil

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.models import llama
from npgpt.runs.adapters import load_adapter
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_leaves
from torchgpt.cli.main import main as torch_main

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:?!'\n"
CHATS = [[{"role": "user", "content": f"Who has {n} balls?"},
          {"role": "assistant", "content": name}] for n, name in enumerate(
              ["Emma", "Ben", "Lily", "Tom", "Anna", "Max", "Mia", "Leo"] * 3)]


@pytest.fixture
def there(tmp_path):
    tokenizer = CharacterTokenizer.train(LETTERS, special_tokens=["<|endoftext|>"])
    config = llama.Config(tokenizer.vocab_size, context_length=96, layers=1, heads=2, kv_heads=1,
                          channels=16)
    save_checkpoint(tmp_path / "base", config, init(llama, config, 1), tokenizer)
    (tmp_path / "chats.jsonl").write_text(
        "\n".join(json.dumps({"messages": each}) for each in CHATS) + "\n")
    return tmp_path


def run(capsys, *argv, command=main):
    status = command([str(word) for word in argv])
    out, err = capsys.readouterr()
    return status, out, err


def tuned(capsys, there, name, *more, command=main, steps=4):
    options = ("--method", "lora", "--rank", 2, "--alpha", 6, "--steps", steps, "--batch-size",
               2, "--decay-steps", 4, "--warmup-steps", 1, "--learning-rate", 0.01,
               "--save-every", 2, "--sample-every", 0, "--evaluate-every", 2)
    return run(capsys, "finetune", there / "base", "--data", there / "chats.jsonl", "--out",
               there / name, *options, *more, command=command)


def adapter_of(there, name):
    base = load_checkpoint(there / "base")
    return load_adapter(there / name, base.params, base.config, base.family)


def losses(there, name):
    lines = [json.loads(line) for line in (there / name / "log.jsonl").read_text().splitlines()]
    return [line["train_loss"] for line in lines if "train_loss" in line]


@pytest.mark.acceptance
def test_three_ways_and_on_again(there, capsys):
    before = (there / "base/model.safetensors").read_bytes()
    ways = {"numpy": (main, ()), "hand": (torch_main, ("--by-hand",)), "module": (torch_main, ())}
    for name, (command, more) in ways.items():
        status, out, err = tuned(
            capsys, there, name, *more, *(("--device", "cpu") if command is torch_main else ()),
            command=command)
        assert status == 0, err
        assert f"--adapter {there / name}" in out
    ours = losses(there, "numpy")
    assert len(ours) == 4
    for name in ("hand", "module"):
        assert np.allclose(losses(there, name), ours, rtol=1e-4)
    assert (there / "base/model.safetensors").read_bytes() == before
    assert not (there / "numpy/model.safetensors").exists()
    assert (there / "numpy/best/adapter_model.safetensors").exists()
    # stopped after two steps, gone on with
    assert tuned(capsys, there, "half-way", steps=2)[0] == 0
    status, _, err = run(capsys, "finetune", "--out", there / "half-way", "--resume", "--steps", 4)
    assert status == 0, err
    whole, again = adapter_of(there, "numpy"), adapter_of(there, "half-way")
    for path, array in tree_leaves(whole.layers):
        assert np.array_equal(array, dict(tree_leaves(again.layers))[path]), path
    # begun here, gone on with there
    shutil.copytree(there / "numpy", there / "other")
    status, _, err = run(capsys, "finetune", "--out", there / "other", "--resume", "--steps", 6,
                         "--by-hand", "--device", "cpu", command=torch_main)
    assert status == 0, err
    # what it has learned answers beside its base, and an adapter can be trained further
    status, out, err = run(capsys, "chat", there / "numpy", "--prompt", "Who?")
    assert status == 2 and "--adapter" in err
    status, out, err = tuned_from(capsys, there)
    assert status == 0, err
    assert "with 0" in err and "lora_dropout 0.1" in err


def tuned_from(capsys, there):
    file = there / "numpy/adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "lora_dropout": 0.1}))
    return run(capsys, "finetune", there / "base", "--data", there / "chats.jsonl", "--out",
               there / "further", "--method", "lora", "--adapter", there / "numpy", "--steps", 2,
               "--batch-size", 2, "--sample-every", 0)


@pytest.mark.parametrize("options, said", [
    (("--method", "lora", "--targets", "q,query"), "no layer of this model is called 'query'"),
    (("--method", "lora", "--rank", "9"), "a matrix of 16 by 8"),
    (("--method", "lora", "--rank", "0"), "rank is 0"),
    (("--method", "lora", "--alpha", "-1"), "alpha is -1"),
    (("--rank", "4"), "--method lora"),
    (("--method", "lora", "--adapter", "nowhere"), "holds no adapter"),
    (("--method", "lora", "--adapter", "nowhere", "--rank", "3"), "the adapter has its own"),
    (("--method", "lora", "--train", "q"), "LoRA has --targets"),
    (("--train", "query"), "no layer of this model is called 'query'"),
    (("--method", "dora"), "full or lora")])
def test_what_is_refused(options, said, there, capsys):
    """In one line, and no directory is made."""
    status, _, err = run(capsys, "finetune", there / "base", "--data", there / "chats.jsonl",
                         "--out", there / "out", *options)
    assert status == 2 and said in err.splitlines()[-1], err
    assert not (there / "out").exists()


@pytest.mark.acceptance
def test_some_layers_alone(there, capsys):
    """All others keep their bits; stopped and gone on with, in either package."""
    options = ("--train", "norm_*,attention.v", "--batch-size", 2, "--sample-every", 0,
               "--decay-steps", 4, "--save-every", 2)
    for name, command, more in (("numpy", main, ()), ("module", torch_main, ("--device", "cpu"))):
        status, _, err = run(
            capsys, "finetune", there / "base", "--data", there / "chats.jsonl", "--out",
            there / name, *options, "--steps", 4, *more, command=command)
        assert status == 0 and "all others stay" in err, err
    status, _, err = run(capsys, "finetune", there / "base", "--data", there / "chats.jsonl",
                         "--out", there / "first", *options, "--steps", 2)
    assert status == 0, err
    assert run(capsys, "finetune", "--out", there / "first", "--resume", "--steps", 4)[0] == 0
    before, whole, again = (dict(tree_leaves(load_checkpoint(there / name).params))
                            for name in ("base", "numpy", "first"))
    for path, array in whole.items():
        trains = ".norm_" in path or path.endswith("attention.v.weight")
        assert np.array_equal(array, before[path]) != trains, path
        assert np.array_equal(array, again[path]), path
    assert np.allclose(losses(there, "module"), losses(there, "numpy"), rtol=1e-4)
