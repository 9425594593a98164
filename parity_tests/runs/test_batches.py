"""Batches, evaluation windows and dropout masks."""

import hashlib
import math
import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npgpt.models
import npgpt.training
import torchgpt.models
import torchgpt.training
from npgpt.errors import InputError
from npgpt.layers.cross_entropy import IGNORE, cross_entropy
from npgpt.models import gpt2
from npgpt.runs.data import check_length, encode_source, make_tokenizer
from npgpt.runs.settings import complete
from npgpt.runs.train import EVALUATION_TOKENS, batches, bits_per_byte, evaluate, initial_state
from npgpt.speed.threads import SHARD_TOKENS, sharded
from npgpt.text import BytePairTokenizer, CharacterTokenizer
from npgpt.text.corpora.load import load_corpus
from npgpt.training import Trainer, init, loss_and_grads
from npgpt.training.batches import draw_batch, evaluation_batches, micro_batches
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.tree import tree_leaves, tree_map

CONFIG = gpt2.Config(11, context_length=8, layers=2, heads=2, channels=6)


def trainer_of(params, config, **settings):
    return Trainer(gpt2, config, params, complete(settings))


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 40), st.integers(0, 9))
def test_targets_are_the_inputs_one_place_on(T, B, extra, seed):
    ids = np.arange(T + 1 + extra, dtype=np.uint16)
    inputs, targets = draw_batch(ids, T, B, seed, step=3)
    assert inputs.shape == targets.shape == (B, T)
    np.testing.assert_array_equal(targets, inputs + 1)
    again = draw_batch(ids, T, B, seed, step=3)
    np.testing.assert_array_equal(inputs, again[0])


def test_each_step_and_seed_has_its_batch_and_every_window_comes():
    ids = np.arange(20)
    drawn = {(seed, step): draw_batch(ids, 4, 8, seed, step)[0][:, 0]
             for seed in (1, 2) for step in range(1, 30)}
    assert len({tuple(starts) for starts in drawn.values()}) == len(drawn)
    assert set(np.concatenate(list(drawn.values()))) == set(range(16))


@given(st.integers(1, 9), st.integers(1, 5), st.integers(2, 70))
def test_evaluation_takes_each_token_once(T, B, length):
    ids = np.arange(length, dtype=np.uint16)
    seen = []
    for inputs, targets in evaluation_batches(ids, T, B):
        assert inputs.shape == targets.shape and inputs.shape[1] == T
        valid = targets != IGNORE
        np.testing.assert_array_equal(targets[valid], inputs[valid] + 1)
        seen += targets[valid].tolist()
    assert seen == list(range(1, length))


@given(st.integers(1, 4), st.integers(1, 4))
def test_evaluation_of_some_batches_is_spread_and_stays_the_same(batches, B):
    ids = np.arange(1000)
    found = list(evaluation_batches(ids, 10, B, batches))
    assert sum(len(inputs) for inputs, _ in found) == batches * B
    starts = np.concatenate([inputs[:, 0] for inputs, _ in found])
    assert len(set(starts)) == len(starts)
    if len(starts) > 1:
        assert starts[0] == 0 and starts[-1] == 990
    again = list(evaluation_batches(ids, 10, B, batches))
    np.testing.assert_array_equal(found[0][0], again[0][0])


def test_text_shorter_than_the_context_is_refused():
    check_length(np.arange(9), 8, "it")
    with pytest.raises(InputError, match="it has 8 tokens, too few for a context of 8"):
        check_length(np.arange(8), 8, "it")


@pytest.mark.parametrize("rows", [1, 64, 65, 150])
def test_the_loss_of_many_windows_is_the_loss_of_all(rows):
    """Shards of 512 tokens, each divided by the whole count; ignored targets
    lie unevenly in them."""
    params = init(gpt2, CONFIG, 1, np.float64)
    draw = np.random.default_rng(rows)
    ids, targets = draw.integers(0, 11, (2, rows, 8))
    targets[draw.random((rows, 8)) < np.linspace(0.9, 0, rows)[:, None]] = IGNORE
    expected, _ = cross_entropy(gpt2.forward(params, ids, CONFIG)[0], targets)
    found = trainer_of(params, CONFIG).loss({"inputs": ids, "targets": targets})
    assert found == pytest.approx(float(expected), rel=1e-13)


def test_masks_have_the_model_s_shapes_and_the_right_mean():
    masks = dict(tree_leaves(draw_dropout_masks(gpt2, CONFIG, 16, 8, 0.25, seed=1, step=2)))
    assert masks["embedding"].shape == masks["blocks.1.attention_out"].shape == (16, 8, 6)
    assert masks["blocks.0.attention"].shape == (16, 2, 8, 8)
    assert len(masks) == 7
    for mask in masks.values():
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
        assert abs((mask == 0).mean() - 0.25) < 0.08
    first = [mask.ravel()[:64].tolist() for mask in masks.values()]
    assert len({tuple(row) for row in first}) == 7, "two masks are one"


@pytest.mark.parametrize(("rate", "values"), [(0.0, None), (1.0, {0.0})])
def test_masks_at_the_ends(rate, values):
    masks = draw_dropout_masks(gpt2, CONFIG, 2, 8, rate, 1, 1)
    if values is None:
        assert masks is None
    else:
        assert {float(v) for _, mask in tree_leaves(masks) for v in np.unique(mask)} == values


def test_masks_depend_on_seed_and_step_alone():
    def mask(seed, step):
        masks = draw_dropout_masks(gpt2, CONFIG, 2, 8, 0.5, seed, step, np.float64)
        return masks["blocks"][1]["attention"]

    np.testing.assert_array_equal(mask(1, 2), mask(1, 2))
    assert (mask(1, 2) != mask(1, 3)).any() and (mask(1, 2) != mask(2, 2)).any()
    assert mask(1, 2).dtype == np.float64


def test_micro_batches_and_their_masks_are_the_batch_in_order():
    inputs, targets = np.arange(24).reshape(6, 4), np.arange(24).reshape(6, 4) + 1
    masks = draw_dropout_masks(gpt2, CONFIG, 6, 8, 0.5, 1, 1)
    batch = {"inputs": inputs, "targets": targets, "dropout_masks": masks}
    parts = micro_batches(batch, 3)
    assert [len(part["targets"]) for part in parts] == [2, 2, 2]
    for name, whole in tree_leaves(batch):
        cut = [dict(tree_leaves(part))[name] for part in parts]
        np.testing.assert_array_equal(np.concatenate(cut), whole, err_msg=name)
    assert all(set(part) == {"inputs", "targets"}
               for part in micro_batches({"inputs": inputs, "targets": targets}, 3))


def test_the_validation_loss_is_the_mean_over_all_tokens():
    """Two batches of different size and difficulty, the last window not full."""
    config = gpt2.Config(31, context_length=8, layers=1, heads=1, channels=4)
    params = tree_map(lambda weight: 20 * weight, init(gpt2, config, 1, np.float64))
    drawn = np.random.default_rng(0).integers(0, 31, EVALUATION_TOKENS)
    ids = np.concatenate([drawn, np.full(101, 7)])
    settings = SimpleNamespace(evaluate_batches=None, context_length=8)
    run = SimpleNamespace(settings=settings, data=SimpleNamespace(validation=ids))
    ((inputs, targets),) = evaluation_batches(ids, 8, len(ids))
    expected, _ = cross_entropy(gpt2.forward(params, inputs, config)[0], targets)
    first, _ = cross_entropy(gpt2.forward(params, inputs[:512], config)[0], targets[:512])
    assert abs(expected - first) > 1e-3
    assert evaluate(trainer_of(params, config), run) == pytest.approx(expected, rel=1e-12)


def test_bits_per_byte_count_predicted_tokens_and_the_text_s_bytes():
    data = SimpleNamespace(validation=np.zeros(11), train=np.zeros(99), validation_bytes=32)
    bits = bits_per_byte(3 * math.log(2), SimpleNamespace(data=data))
    assert bits == pytest.approx(10 * 3 / 32)


def test_the_bytes_are_those_of_the_validation_text(tmp_path):
    (tmp_path / "corpus.txt").write_text("schön grün\n\n" * 400, encoding="utf-8")
    settings = complete({"corpus": str(tmp_path / "corpus.txt"), "context_length": 4})
    corpus = load_corpus(settings.corpus)
    tokenizer = CharacterTokenizer.train([*corpus.documents, "\n"])
    data = encode_source(corpus, tokenizer, settings)
    assert len(data.validation) == len(corpus.validation_text)
    assert data.validation_bytes == len(corpus.validation_text.encode()) > len(data.validation)
    whole = data.train.tobytes() + data.validation.tobytes()
    assert data.record["ids_sha256"] == hashlib.sha256(whole).hexdigest()


def test_a_tokenizer_learns_characters_of_all_but_pairs_of_the_training_text(tmp_path):
    """A character seen only in validation must have an id; what is frequent
    there must not choose the merges."""
    lines = [f"line {i} " + chr(0x4E00 + i) * (i % 7) + "\n\n" for i in range(400)]
    (tmp_path / "corpus.txt").write_text("".join(lines), encoding="utf-8")
    settings = complete({"corpus": str(tmp_path / "corpus.txt"), "context_length": 4})
    corpus = load_corpus(settings.corpus)
    assert set(corpus.validation_text) - set(corpus.train_text)
    tokenizer = make_tokenizer(settings, corpus)
    assert tokenizer.decode(tokenizer.encode(corpus.text)) == corpus.text
    settings = replace(settings, tokenizer="bpe:400")
    pairs = [make_tokenizer(settings, corpus), BytePairTokenizer.train(corpus.train, 400),
             BytePairTokenizer.train(corpus.documents, 400)]
    assert pairs[0].merges == pairs[1].merges != pairs[2].merges


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_s_seed_draws_its_weights_batches_and_masks(dtype):
    config = gpt2.Config(31, context_length=8, layers=1, heads=1, channels=4)
    settings = complete({
        "seed": 5, "batch_size": 3, "context_length": 8, "dropout": 0.5, "dtype": dtype})
    ids, kind = np.arange(900) % 31, np.dtype(dtype).type
    run = SimpleNamespace(model=gpt2, config=config, settings=settings, params=None,
                          optimizer=None, adapter=None, trains=None,
                          data=SimpleNamespace(train=ids))
    params, state = initial_state(run)
    assert state is None
    found = {"params": Trainer(gpt2, config, params, settings).params, **batches(run)(2)}
    drawn = draw_batch(ids, 8, 3, 5, 2)
    expected = {"params": init(gpt2, config, 5, kind), "inputs": drawn[0], "targets": drawn[1],
                "dropout_masks": draw_dropout_masks(gpt2, config, 3, 8, 0.5, 5, 2, kind)}
    for (name, a), (other, b) in zip(tree_leaves(found), tree_leaves(expected), strict=True):
        assert name == other and a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_a_context_longer_than_a_shard_is_evaluated_too():
    config = gpt2.Config(5, context_length=2 * SHARD_TOKENS, layers=1, heads=1, channels=4)
    params = init(gpt2, config, 1, np.float64)
    ids = np.random.default_rng(0).integers(0, 5, (2, 2 * SHARD_TOKENS))
    expected, _ = cross_entropy(gpt2.forward(params, ids, config)[0], ids)
    found = trainer_of(params, config).loss({"inputs": ids, "targets": ids})
    assert found == pytest.approx(expected, rel=1e-12)


def test_parts_of_a_step_do_not_overwrite_one_another():
    """A trainer keeps the gradients of each step in the same two long vectors."""
    for seed in (1, 2):                       # a second trainer gets vectors of its own
        config = gpt2.Config(5, context_length=8, layers=1, heads=1, channels=4 * seed)
        params = init(gpt2, config, seed, np.float64)
        trainer = trainer_of(params, config, batch_size=6, accumulate=3)
        inputs, targets = np.random.default_rng(seed).integers(0, 5, (2, 6, 8))
        batch = {"inputs": inputs, "targets": targets}
        whole_loss, whole = sharded(loss_and_grads, gpt2, params, config, batch)
        for _ in range(2):
            loss, _ = trainer.step(batch, 0.0)
            assert loss == pytest.approx(float(whole_loss), rel=1e-13)
            found = dict(tree_leaves(trainer.grads))
            assert set(found) == set(dict(tree_leaves(whole)))
            for name, expected in tree_leaves(whole):
                np.testing.assert_allclose(
                    found[name], expected, rtol=0, atol=1e-14, err_msg=name)


def in_another_order(tree, draw):
    """The same tree, each of its dicts filled in an order that is drawn."""
    if isinstance(tree, dict):
        keys = draw.sample(list(tree), len(tree))
        return {key: in_another_order(tree[key], draw) for key in keys}
    return [in_another_order(part, draw) for part in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("package", [npgpt, torchgpt], ids=["numpy", "torch"])
def test_gradients_are_combined_by_key(package):
    """Another order of their dicts, in each shard and part, and of the running
    means', changes no bit of what a step makes."""
    draw, rows = random.Random(1), 2 * 2 * SHARD_TOKENS // 8  # two parts of two shards
    params, state = init(gpt2, CONFIG, 1, np.float64), {"step": 4}
    for moment, seed in (("m", 2), ("v", 3)):
        state[moment] = tree_map(np.abs, init(gpt2, CONFIG, seed, np.float64))
    inputs, targets = np.random.default_rng(0).integers(0, 11, (2, rows, 8))
    settings = complete({"batch_size": rows, "accumulate": 2, "clip": 1e9})
    model = package.models.gpt2

    def disordered(*given, **more):
        loss, grads = package.training.loss_and_grads(*given, **more)
        return loss, in_another_order(grads, draw)

    found = []
    for state_in, function in ((state, package.training.loss_and_grads),
                               (in_another_order(state, draw), disordered)):
        trainer = package.training.Trainer(
            model, CONFIG, params, settings, state=state_in, loss_and_grads=function)
        loss, norm = trainer.step({"inputs": inputs, "targets": targets}, 1e-2)
        kept = {"params": trainer.params, "grads": trainer.grads, "state": trainer.state()}
        found.append((loss, norm, dict(tree_leaves(trainer.numpy(kept)))))
    (loss, norm, one), (other_loss, other_norm, other) = found
    assert other_loss == loss and other_norm == pytest.approx(norm, rel=1e-13)
    assert set(one) == set(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
    moved = dict(tree_leaves(params))
    assert all((one[f"params.{name}"] != array).any() for name, array in moved.items())
