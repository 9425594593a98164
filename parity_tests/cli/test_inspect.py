"""npgpt inspect, as it is typed."""

import json
import math

import numpy as np
import pytest

from npgpt.checking.attention_maps import attention_maps
from npgpt.cli.main import main
from npgpt.families.gpt2 import Config
from npgpt.models import gpt2
from npgpt.random_stream import normals
from npgpt.runs.attention_picture import attention_figure
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.runs.inspection import nearest
from npgpt.text import CharacterTokenizer
from npgpt.training import init
from npgpt.tree import tree_leaves, tree_map_with_path

TEXT = "the cat, the dog.\n"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("commands") / "run"
    tokenizer = CharacterTokenizer.train([TEXT])
    config = Config(tokenizer.vocab_size, 16, 2, 2, 8, tied=False)
    params = tree_map_with_path(lambda name, weight: (
        weight + 0.5 * normals(weight.shape, 1, 0, name)).astype(np.float32), init(gpt2, config, 1))
    save_checkpoint(path, config, params, tokenizer)
    return path


@pytest.fixture
def run(capsys):
    def run(*words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_inspect_counts_and_measures_every_weight(run, checkpoint):
    params = load_checkpoint(checkpoint).params
    for more, expected in (([], 6), (["--tensors"], len(list(tree_leaves(params))))):
        found = json.loads(run("inspect", checkpoint, "--json", *more)[1])
        assert len(found["parts"]) == expected
        assert sum(part["parameters"] for part in found["parts"]) == found["parameters"]
    every = dict(tree_leaves(params))
    for part in found["parts"]:
        weight = every[part["name"]]
        assert part["norm"] == pytest.approx(np.linalg.norm(weight), rel=1e-5)
        assert part["rms"] == pytest.approx(math.sqrt((weight ** 2).mean()), rel=1e-5)
        assert part["largest"] == pytest.approx(np.abs(weight).max())
    matrices = [weight for weight in every.values() if weight.ndim == 2]
    assert sum(found["histogram"]["counts"]) == sum(weight.size for weight in matrices)
    low, high = found["histogram"]["edges"][8:10]        # the bin in the middle
    inside = sum(((weight >= low) & (weight < high)).sum() for weight in matrices)
    assert found["histogram"]["counts"][8] == inside


def test_inspect_tells_heads_of_queries_from_those_of_keys(run, tmp_path):
    from npgpt.families import llama
    from npgpt.models import llama as model

    for kv_heads, said in ((2, "4 heads (2 of keys and values), 8 channels"), (4, "4 heads, 8")):
        config = llama.Config(7, 8, 1, 4, kv_heads, 8)
        save_checkpoint(tmp_path / str(kv_heads), config, init(model, config, 1))
        assert said in run("inspect", tmp_path / str(kv_heads))[1]


def test_inspect_names_the_nearest_tokens(run, checkpoint):
    weight = np.array([[1.0, 0], [2, 0.1], [0, 1], [-1, 0], [0.5, 0.4]])
    assert [id for id, _ in nearest(weight, 0, 3)] == [1, 4, 2]
    assert nearest(weight, 0, 9)[-1] == (3, -1.0)
    found = json.loads(run("inspect", checkpoint, "--token", "t", "--json")[1])
    tokenizer = load_checkpoint(checkpoint).tokenizer
    assert found["token"] == {"id": tokenizer.encode("t")[0], "text": "t"}
    cosines = [row["cosine"] for row in found["neighbours"]]
    assert cosines == sorted(cosines, reverse=True)


def test_inspect_tells_the_token_with_a_space_before_it(run, tmp_path):
    from npgpt.text import BytePairTokenizer

    tokenizer = BytePairTokenizer.train(["cat cat the cat the cat, a cat"] * 9, vocab_size=264)
    config = Config(tokenizer.vocab_size, 8, 1, 2, 8)
    save_checkpoint(tmp_path / "run", config, init(gpt2, config, 1), tokenizer)
    spaced = tokenizer.encode(" cat")
    assert len(spaced) == len(tokenizer.encode("cat")) == 1
    said = f"with a space before it, as within a text: id {spaced[0]}"
    assert said in run("inspect", tmp_path / "run", "--token", "cat")[1]
    assert "with a space" not in run("inspect", tmp_path / "run", "--token", " cat")[1]


def test_inspect_draws_what_each_head_attends_to(run, checkpoint, tmp_path):
    found = load_checkpoint(checkpoint)
    ids = found.tokenizer.encode("the cat")
    maps = attention_maps(gpt2, found.params, ids, found.config)
    assert [each.shape for each in maps] == [(2, 7, 7)] * 2
    for each in maps:
        np.testing.assert_allclose(each.sum(axis=-1), 1, atol=1e-6)
        assert not np.triu(each, 1).any()
    picture = tmp_path / "attended.png"
    status, out, _ = run("inspect", checkpoint, "--text", "the cat",
                         "--picture", picture)
    assert status == 0
    assert out.rstrip().endswith(str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("blocks, heads, T, longest", [
    (1, 1, 2, 1), (2, 2, 7, 1), (4, 4, 40, 9), (12, 12, 30, 4), (1, 2, 500, 6)])
def test_the_picture_of_attention_can_be_read(blocks, heads, T, longest):
    maps = [np.tril(np.ones((heads, T, T)))] * blocks
    figure = attention_figure(maps, ["t" * longest] * T)
    *panels, bar = figure.axes
    assert [panel.get_title() for panel in panels] == [
        f"block {b}, head {h}" for b in range(1, blocks + 1) for h in range(1, heads + 1)]
    texts = [text for axis in (*panels, bar) for text in (
        axis.title, *axis.get_xticklabels(), *axis.get_yticklabels()) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) * figure.dpi / 72 >= 11      # pixels
    shown = [text.get_text() for text in panels[0].get_yticklabels()]
    assert len(shown) == T or T > 40 or blocks > 4
    width, height = figure.get_size_inches() * figure.dpi
    assert 300 <= width <= 7000 and 300 <= height <= 7000


@pytest.mark.parametrize("words, said", [
    (["--token", "ca"], "'ca' is several tokens: c ("),
    (["--token", "t", "--id", "1"], "not both"),
    (["--id", "99"], "id 99 is out of range"),
    (["--text", "the cat, the dog."], "the text has 17 tokens, but the model's context is 16"),
    (["--text", ""], "the text is empty"),
])
def test_inspect_says_what_is_wrong(run, checkpoint, words, said):
    status, out, err = run("inspect", checkpoint, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
