"""The page of 24 blocks: its stacks are what it calls them, and the record says what it tells."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from npgpt.models import gpt2
from npgpt.training import loss_and_grads, mean_loss
from npgpt.tree import tree_leaves, tree_map

RECORDS = Path(__file__).parents[2] / "docs" / "records"
sys.path.append(str(RECORDS))

import make_depth  # noqa: E402

RECORD = json.loads((RECORDS / "depth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def small():
    params, config = make_depth.drawn(7, 1, layers=2)
    draw = np.random.default_rng(1)
    return (tree_map(lambda a: a.astype(np.float64), params), config,
            draw.integers(0, 7, (2, 5)), draw.integers(0, 7, (2, 5)))


def test_pre_norm_is_gpt2(small):
    params, config, inputs, _ = small
    ours, _ = make_depth.stack("pre-norm").forward(params, inputs, config)
    assert np.array_equal(ours, gpt2.forward(params, inputs, config)[0])


@pytest.mark.parametrize("name", make_depth.STACKS)
def test_the_gradients_of_each_stack(small, name):
    """Along a random direction: the slope is the gradient's part in it."""
    params, config, inputs, targets = small
    model, draw = make_depth.stack(name), np.random.default_rng(2)
    _, grads = loss_and_grads(model, params, inputs, targets, config)
    direction = tree_map(lambda a: draw.normal(size=a.shape), params)
    there = dict(tree_leaves(direction))
    expected = sum((grad * there[path]).sum() for path, grad in tree_leaves(grads))
    losses = [mean_loss(model, tree_map(lambda a, d, s=step: a + s * d, params, direction),
                        inputs, targets, config) for step in (1e-6, -1e-6)]
    assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(expected, rel=1e-6)


def test_the_record_says_what_the_page_tells():
    last = {key: [run[-1] for run in runs] for key, runs in RECORD["depth"].items()}
    for warmup in ("warm-up", "no warm-up"):
        assert max(last[f"pre-norm, {warmup}"]) < 2.4
        assert min(min(run) for run in RECORD["depth"][f"no residuals, {warmup}"]) > 3
    assert max(last["post-norm, warm-up"]) < 2.5
    assert max(last["post-norm, no warm-up"]) > 3
    least = {key: min(run) for key, run in RECORD["unlike"].items()}
    assert least["pre-norm, no warm-up"] > 0.01 > least["post-norm, warm-up"] > 1e-4
    assert least["post-norm, no warm-up"] < np.finfo(np.float32).eps
    ends = {name: [run[-1] for run in runs] for name, runs in RECORD["positions"].items()}
    assert max(ends["learned"]) < min(ends["sinusoids"]) < max(ends["sinusoids"]) < min(
        ends["none"])
    jump = {name: np.mean([outside - inside for inside, outside in runs])
            for name, runs in RECORD["beyond"].items()}
    assert jump["learned"] > jump["sinusoids"] > jump["none"] > 0


def test_the_record_is_of_these_settings():
    for key, name in (("layers", "LAYERS"), ("channels", "C"), ("context", "T"), ("batch", "B"),
                      ("steps", "STEPS"), ("rate", "RATE"), ("warmup", "WARMUP"),
                      ("size", "SIZE"), ("positions_settings", "POSITIONS")):
        assert RECORD[key] == getattr(make_depth, name), key


@pytest.mark.acceptance
def test_a_run_of_the_record_again():
    """Its first run, number by number; another processor rounds differently."""
    from npgpt.text import CharacterTokenizer, load_corpus

    corpus = load_corpus(RECORD["corpus"])
    tokenizer = CharacterTokenizer.train(corpus.train_text)
    ids, held_out = (np.array(tokenizer.encode(text)) for text in (
        corpus.train_text, corpus.validation_text))
    params, config = make_depth.drawn(tokenizer.vocab_size, 1)
    found = make_depth.train(
        make_depth.stack("pre-norm"), params, config, ids, held_out[:RECORD["held_out"]], 1,
        RECORD["context"], RECORD["steps"], RECORD["rate"], RECORD["warmup"])
    assert found == pytest.approx(RECORD["depth"]["pre-norm, warm-up"][0], abs=0.02)
