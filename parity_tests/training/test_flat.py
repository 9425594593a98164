"""Long vectors hold what nested arrays hold, and give the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from npgpt.training.half import NumpyHalf

from npgpt.families.gpt2 import Config
from npgpt.runs.settings import Settings
from npgpt.speed import flat
from npgpt.training import (
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init_gpt,
    loss_and_grads,
)
from npgpt.training.loss_and_grads import loss_and_grads_of_shard
from npgpt.tree import leaves

CONFIG = Config(vocab_size=11, context_length=16, layers=2, heads=2, channels=8)


def same(one, other):
    pairs = list(zip(leaves(one), leaves(other), strict=True))
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def batch(sequences):
    ids = np.random.default_rng(3).integers(0, 11, (sequences, 16))
    return ids, np.roll(ids, -1, axis=1)


@pytest.mark.parametrize("piece", [7, 100, flat.PIECE])
@pytest.mark.parametrize("sequences", [1, 3, 80])
def test_training_gives_the_same_bits(piece, sequences, monkeypatch):
    monkeypatch.setattr(flat, "PIECE", piece)
    nested = init_gpt(CONFIG)
    views = flat.flatten(nested)
    assert same(nested, views)
    state, long_state = adamw_init(nested), adamw_init(flat.pieces(views))
    for _ in range(3):
        loss, grads = loss_and_grads(nested, *batch(sequences), CONFIG)
        long_loss, long_grads = loss_and_grads(
            views, *batch(sequences), CONFIG, out=flat.flat_like(views))
        assert loss == long_loss and same(grads, long_grads)
        adamw_step(nested, clip_by_global_norm(grads, 1e9)[0], state, lr=1e-2)
        clipped, _ = clip_by_global_norm(flat.pieces(long_grads), 1e9)
        adamw_step(flat.pieces(views), clipped, long_state, lr=1e-2)
    assert same(nested, views)


def test_turned_matrices_lie_along_their_longer_side():
    nested = init_gpt(CONFIG)
    views = flat.flatten(nested, turned=True)
    assert same(nested, views)
    for name, view in leaves(views):
        turned = name.endswith(("out.weight", "down.weight"))
        assert (view.T if turned else view).flags.c_contiguous, name


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("sequences", [1, 80])
def test_all_that_a_step_reads_lies_alike(compile, tied, sequences):
    """Arrays that lie unlike each other add up as well, but many times slower."""
    config, half = replace(CONFIG, tied=tied), NumpyHalf(compile=compile)
    model = half.model(init_gpt(config), config)
    optimizer = half.optimizer(model, Settings())
    half.begin_step(model, 1, 1)
    parts = [half.loss_and_grads(model, *batch(sequences), config)[1] for _ in range(2)]
    _, of_shard = (half.shard or loss_and_grads_of_shard)(model, *batch(2), config)
    assert not np.shares_memory(parts[0]["norm"]["bias"], parts[1]["norm"]["bias"])
    for tree in (*parts, of_shard, optimizer["m"], optimizer["v"]):
        for (name, weight), (_, other) in zip(leaves(model), leaves(tree), strict=True):
            assert weight.strides == other.strides, name


def test_turned_weights_take_the_same_steps():
    """No moment may be taken for another weight's. A gradient that is nothing but
    rounding, 1e-16 beside AdamW's 1e-8, moves its weight by a rate of 1e-2 times that."""
    ends = []
    for compile in (False, True):
        half = NumpyHalf("float64", compile)
        model = half.model(init_gpt(CONFIG, dtype=np.float64), CONFIG)
        optimizer = half.optimizer(model, Settings())
        for step in range(3):
            half.begin_step(model, 1, step)
            _, grads = half.loss_and_grads(model, *batch(3 + step), CONFIG)
            half.step(model, half.clip(grads, 0.1)[0], optimizer, 1e-2, Settings())
            state = half.optimizer_state(model, optimizer)
            optimizer = half.optimizer(model, Settings(), state)  # as a resumed run does
        ends.append([half.params(model), state["m"], state["v"]])
    for (name, one), (_, other) in zip(leaves(ends[0]), leaves(ends[1])):
        assert np.abs(one - other).max() <= 1e-9, name


@pytest.mark.parametrize("turned", [False, True])
def test_pieces_share_memory_and_hold_every_number_once(turned):
    views = flat.flatten(init_gpt(CONFIG), turned)
    pieces = flat.pieces(views)
    for _, piece in leaves(pieces):
        piece[...] = 5
    assert all((array == 5).all() for _, array in leaves(views))
    assert sum(p.size for _, p in leaves(pieces)) == sum(a.size for _, a in leaves(views))


def test_only_matrices_decay():
    views = flat.flatten(init_gpt(CONFIG))
    before = flat.flatten(views)
    grads = {"matrices": [np.zeros_like(p) for p in flat.pieces(views)["matrices"]],
             "vectors": np.zeros_like(flat.pieces(views)["vectors"])}
    adamw_step(flat.pieces(views), grads, adamw_init(flat.pieces(views)), lr=0.5)
    for (name, new), (_, old) in zip(leaves(views), leaves(before)):
        expected = old * (1 - 0.5 * 0.1) if old.ndim >= 2 else old
        np.testing.assert_allclose(new, expected, rtol=1e-6, err_msg=name)
