"""npgpt gradcheck RUN, as it is typed: on small models, right and with a mistake planted."""

import json

import numpy as np
import pytest

from npgpt import layers
from npgpt.cli.main import main
from npgpt.families import gpt2, llama
from npgpt.models import BY_TYPE
from npgpt.random_stream import normals
from npgpt.replacing import replaced
from npgpt.runs.checkpoint import save_checkpoint
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_map_with_path

TEXT = "the cat, the dog.\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    tokenizer = CharacterTokenizer.train([TEXT])
    V, found = tokenizer.vocab_size, {}
    for config in (gpt2.Config(V, 32, 2, 2, 8), llama.Config(V, 32, 2, 4, 2, 8, tied=False)):
        family = type(config).__module__.rpartition(".")[2]
        params = tree_map_with_path(lambda name, weight: (
            weight + 0.2 * normals(weight.shape, 1, 0, name)).astype(np.float32),
            init(BY_TYPE[family], config, 1))
        found[family] = tmp_path_factory.mktemp(family) / "run"
        save_checkpoint(found[family], config, params, tokenizer)
    return found


def run(capsys, *line):
    status = main([str(word) for word in line])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_every_gradient_of_a_model_agrees(capsys, runs, family):
    status, out, err = run(capsys, "gradcheck", runs[family], "--text", "the cat, the dog",
                           "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["wrong"] == [] and found["tokens"] == 15
    assert len(found["rows"]) == {"gpt2": 28, "llama": 21}[family]
    for row in found["rows"]:
        assert set(row["errors"]) == {"torch", "autograd"}
        assert max(row["errors"].values()) <= 1
    assert found["finite_difference"] < 1e-2


def test_a_mistake_in_a_gradient_is_told_by_its_tensors(capsys, runs):
    def forgets_the_mean(d_y, saved):
        normed, inv_std, weight, trainable = saved
        d_x, grads = right(d_y, saved)
        return d_x + (d_y * weight).mean(axis=-1, keepdims=True) * inv_std, grads

    right = layers.layer_norm_backward
    with replaced("npgpt", [(right, forgets_the_mean)]):
        status, out, _ = run(capsys, "gradcheck", runs["gpt2"], "--text", "the cat")
    assert status == 1 and "wrong: " in out and "times the budget from torch" in out
    assert "wrong: norm" not in out     # what comes before the mistake is right


@pytest.mark.parametrize(("line", "what"), [
    (("--layer", "gelu"), "with a RUN, --layer, --candidate and --at have no meaning"),
    (("--text", "t"), "the text has one token"),
    (("--text", TEXT * 9), "do not fit the context of 32"),
])
def test_bad_input_is_one_line(capsys, runs, line, what):
    status, _, err = run(capsys, "gradcheck", runs["gpt2"], *line)
    assert status == 2 and what in err and err.count("\n") == 1


def test_a_text_needs_its_run(capsys):
    status, _, err = run(capsys, "gradcheck", "--text", "the cat")
    assert status == 2 and "give its RUN, too" in err
