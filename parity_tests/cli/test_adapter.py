"""npgpt adapter, and --adapter of sample and chat."""

import json

import numpy as np
import pytest

from npgpt.cli.main import main
from npgpt.runs.adapters import merged, save_adapter
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.text.tokenizers.characters import CharacterTokenizer
from npgpt.tree import tree_leaves
from parity_tests.finetuning.small_models import adapter, base
from torchgpt.cli.main import main as torch_main


@pytest.fixture
def there(tmp_path):
    """A model, two adapters of it and one of another model; in it a chat template."""
    model, config, params = base("llama")
    tokenizer = CharacterTokenizer.train("abcdefghijklmnopqrstuvwxyzABCDEFGHIJK")
    save_checkpoint(tmp_path / "base", config, params, tokenizer)
    (tmp_path / "base/chat_template.jinja").write_text("{{ messages[0].content }}")
    for name, seed in (("one", 3), ("two", 8)):
        ours = adapter("llama", seed, base=str(tmp_path / "base"))
        save_adapter(tmp_path / "runs" / name, ours, config, model)
    other, config, params = base("gpt2")
    save_adapter(tmp_path / "runs/deep/other", adapter("gpt2"), config, other)
    return tmp_path


def run(capsys, *argv, command=main):
    status = command([str(word) for word in argv])
    out, err = capsys.readouterr()
    return status, out, err


def test_list_and_inspect(there, capsys):
    status, out, _ = run(capsys, "adapter", "list", there / "runs", "--json")
    rows = json.loads(out)["adapters"]
    assert status == 0
    assert [(row["path"].rpartition("runs/")[2], row["targets"]) for row in rows] == [
        ("deep/other", ["c_attn", "c_proj"]), ("one", ["q_proj", "v_proj"]),
        ("two", ["q_proj", "v_proj"])]
    assert rows[1]["parameters"] == 2 * 3 * (12 + 24 + 12 + 8)
    status, out, _ = run(capsys, "adapter", "inspect", there / "base", there / "runs/one",
                         "--json")
    layers = json.loads(out)["layers"]
    assert status == 0 and len(layers) == 4 and all(0 < row["ratio"] < 1e3 for row in layers)
    for words in (("list", there / "runs"), ("inspect", there / "base", there / "runs/one")):
        status, out, err = run(capsys, "adapter", *words)
        assert status == 0 and "q" in out and not err


def test_merge_is_the_model_with_its_adapters(there, capsys):
    ones = [there / "runs/one", there / "runs/two"]
    status, out, _ = run(capsys, "adapter", "merge", there / "base", *ones, "--out", there / "m")
    assert status == 0 and "one" in out
    _, _, params = base("llama")
    wanted = merged(params, adapter("llama", 3), adapter("llama", 8))
    found = load_checkpoint(there / "m")
    for path, array in tree_leaves(found.params):
        assert np.array_equal(array, dict(tree_leaves(wanted))[path]), path
    assert (there / "m/chat_template.jinja").exists()
    assert found.tokenizer.vocab_size == 37
    status, _, err = run(capsys, "adapter", "merge", there / "base", *ones, "--out", there / "m")
    assert status == 2 and "is there already" in err


@pytest.mark.parametrize("command", [main, torch_main], ids=["npgpt", "torchgpt"])
def test_sample_and_chat_write_as_the_merged_model(command, there, capsys):
    run(capsys, "adapter", "merge", there / "base", there / "runs/one", "--out", there / "m")
    for words in (("sample", "--prompt", "abc", "--tokens", 8, "--temperature", 0),
                  ("chat", "--prompt", "abc", "--tokens", 6, "--temperature", 0)):
        name, *options = words
        beside = run(capsys, name, there / "base", *options, "--adapter", there / "runs/one",
                     command=command)
        alone = run(capsys, name, there / "m", *options, command=command)
        plain = run(capsys, name, there / "base", *options, command=command)
        assert beside[0] == 0 and beside == alone
        assert plain[0] == 0 and plain != beside


def test_where_the_base_has_no_template_that_of_the_adapter_counts(there, capsys):
    """As a fine-tuning leaves it, whose last line says how to try it."""
    (there / "base/chat_template.jinja").rename(there / "runs/one/chat_template.jinja")
    words = ("--prompt", "abc", "--tokens", 6, "--temperature", 0)
    beside = run(capsys, "chat", there / "base", "--adapter", there / "runs/one", *words)
    assert beside[0] == 0, beside
    run(capsys, "adapter", "merge", there / "base", there / "runs/one", "--out", there / "m")
    assert run(capsys, "chat", there / "m", *words) == beside
    assert run(capsys, "chat", there / "base", *words)[0] == 2


def test_what_is_refused(there, capsys):
    """One line each."""
    for words, said in (
            (("sample", there / "base", "--adapter", there / "runs/deep/other"),
             "another base model"),
            (("chat", there / "runs/one"), "--adapter"),
            (("sample", there / "base", "--adapter", there), "there is no adapter_config.json"),
            (("adapter", "inspect", there / "base", there / "base"), "holds no adapter"),
            (("adapter", "list", there / "nowhere"), "there is no directory")):
        status, _, err = run(capsys, *words)
        assert status == 2 and said in err and err.count("\n") == 1, err
