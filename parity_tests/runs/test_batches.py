"""Batches, evaluation windows and dropout masks."""

import hashlib
import math
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from npgpt.training.half import NumpyHalf

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.layers.cross_entropy import IGNORE, cross_entropy
from npgpt.models import gpt
from npgpt.runs.run import encode_source, make_tokenizer
from npgpt.runs.settings import complete
from npgpt.speed.threads import SHARD_TOKENS, loss_and_grads
from npgpt.text import BytePairTokenizer, CharacterTokenizer
from npgpt.text.corpora import load_corpus
from npgpt.training import init_gpt
from npgpt.training.batches import (
    check_length,
    draw_batch,
    evaluation_batches,
    micro_batches,
)
from npgpt.training.dropout_masks import draw_keep, micro_keep
from npgpt.training.loop import (
    EVALUATION_TOKENS,
    accumulate,
    bits_per_byte,
    evaluate,
    load_state,
    step_batch,
)
from npgpt.tree import leaves, rebuild


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
    params = init_gpt(CONFIG, 1, np.float64)
    draw = np.random.default_rng(rows)
    ids, targets = draw.integers(0, 11, (2, rows, 8))
    targets[draw.random((rows, 8)) < np.linspace(0.9, 0, rows)[:, None]] = IGNORE
    expected, _ = cross_entropy(gpt(params, ids, CONFIG)[0], targets)
    assert NumpyHalf("float64").loss(params, ids, targets, CONFIG) == pytest.approx(
        float(expected), rel=1e-13)


CONFIG = Config(11, context_length=8, layers=2, heads=2, channels=6)


def test_masks_have_the_model_s_shapes_and_the_right_mean():
    keep = dict(leaves(draw_keep(CONFIG, 16, 8, 0.25, seed=1, step=2)))
    assert keep["embedding"].shape == keep["blocks.1.attention_out"].shape == (16, 8, 6)
    assert keep["blocks.0.attention"].shape == (16, 2, 8, 8)
    assert len(keep) == 7
    for mask in keep.values():
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
        assert abs((mask == 0).mean() - 0.25) < 0.08
    first = [mask.ravel()[:64].tolist() for mask in keep.values()]
    assert len({tuple(row) for row in first}) == 7, "two masks are one"


@pytest.mark.parametrize(("rate", "values"), [(0.0, None), (1.0, {0.0})])
def test_masks_at_the_ends(rate, values):
    keep = draw_keep(CONFIG, 2, 8, rate, 1, 1)
    if values is None:
        assert keep is None
    else:
        assert {float(v) for _, mask in leaves(keep) for v in np.unique(mask)} == values


def test_masks_depend_on_seed_and_step_alone():
    def mask(seed, step):
        return draw_keep(CONFIG, 2, 8, 0.5, seed, step, np.float64)["blocks"][1]["attention"]

    np.testing.assert_array_equal(mask(1, 2), mask(1, 2))
    assert (mask(1, 2) != mask(1, 3)).any() and (mask(1, 2) != mask(2, 2)).any()
    assert mask(1, 2).dtype == np.float64


def test_micro_batches_and_their_masks_are_the_batch_in_order():
    inputs, targets = np.arange(24).reshape(6, 4), np.arange(24).reshape(6, 4) + 1
    parts = micro_batches(inputs, targets, 3)
    np.testing.assert_array_equal(np.concatenate([ids for ids, _ in parts]), inputs)
    keep = draw_keep(CONFIG, 6, 8, 0.5, 1, 1)
    cut = [micro_keep(keep, i, 3)["blocks"][0]["attention"] for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(cut), keep["blocks"][0]["attention"])
    assert micro_keep(None, 0, 3) is None


def test_the_validation_loss_is_the_mean_over_all_tokens():
    """Two batches of different size and difficulty, the last window not full."""
    config = Config(31, context_length=8, layers=1, heads=1, channels=4)
    params = rebuild(init_gpt(config, 1, np.float64), lambda name, weight: 20 * weight)
    drawn = np.random.default_rng(0).integers(0, 31, EVALUATION_TOKENS)
    ids = np.concatenate([drawn, np.full(101, 7)])
    run = SimpleNamespace(config=config, settings=SimpleNamespace(evaluate_batches=None),
                          data=SimpleNamespace(validation=ids))
    ((inputs, targets),) = evaluation_batches(ids, 8, len(ids))
    expected, _ = cross_entropy(gpt(params, inputs, config)[0], targets)
    first, _ = cross_entropy(gpt(params, inputs[:512], config)[0], targets[:512])
    assert abs(expected - first) > 1e-3
    assert evaluate(params, NumpyHalf("float64"), run) == pytest.approx(expected, rel=1e-12)


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
    settings = complete({**asdict(settings), "tokenizer": "bpe:400"})
    pairs = [make_tokenizer(settings, corpus), BytePairTokenizer.train(corpus.train, 400),
             BytePairTokenizer.train(corpus.documents, 400)]
    assert pairs[0].merges == pairs[1].merges != pairs[2].merges


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_s_seed_draws_its_weights_batches_and_masks(dtype):
    config = Config(31, context_length=8, layers=1, heads=1, channels=4)
    settings = complete({"seed": 5, "batch_size": 3, "dropout": 0.5, "dtype": dtype})
    ids, kind = np.arange(900) % 31, np.dtype(dtype).type
    run = SimpleNamespace(config=config, settings=settings, params=None, optimizer=None,
                          data=SimpleNamespace(train=ids))
    model, _ = load_state(run, NumpyHalf(dtype))
    inputs, targets, keep = step_batch(run, step=2)
    found = {"params": model, "inputs": inputs, "targets": targets, "keep": keep}
    drawn = draw_batch(ids, 8, 3, 5, 2)
    expected = {"params": init_gpt(config, 5, kind), "inputs": drawn[0], "targets": drawn[1],
                "keep": draw_keep(config, 3, 8, 0.5, 5, 2, kind)}
    for (name, a), (other, b) in zip(leaves(found), leaves(expected), strict=True):
        assert name == other and a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_a_context_longer_than_a_shard_is_evaluated_too():
    config = Config(5, context_length=2 * SHARD_TOKENS, layers=1, heads=1, channels=4)
    params, half = init_gpt(config, 1, np.float64), NumpyHalf("float64")
    ids = np.random.default_rng(0).integers(0, 5, (2, 2 * SHARD_TOKENS))
    expected, _ = cross_entropy(gpt(params, ids, config)[0], ids)
    assert half.loss(params, ids, ids, config) == pytest.approx(expected, rel=1e-12)


def test_parts_of_a_step_do_not_overwrite_one_another():
    """The half hands out the same two long vectors at each step."""
    half = NumpyHalf("float64")
    for seed in (1, 2):                       # a second model gets vectors of its own
        config = Config(5, context_length=8, layers=1, heads=1, channels=4 * seed)
        model = half.model(init_gpt(config, seed, np.float64), config)
        ids, targets = np.random.default_rng(seed).integers(0, 5, (2, 6, 8))
        whole_loss, whole = loss_and_grads(model, ids, targets, config)
        for _ in range(2):
            half.begin_step(model, 1, 1)
            loss, grads = accumulate(model, half, config, ids, targets, None, 3)
            assert loss == pytest.approx(float(whole_loss), rel=1e-13)
            for (name, a), (_, b) in zip(leaves(whole), leaves(grads), strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-14, err_msg=name)
