"""Long vectors hold what nested arrays hold, and give the same bits."""

from dataclasses import replace

import numpy as np
import pytest

from npgpt.models import gpt2
from npgpt.runs.settings import complete
from npgpt.speed import flat
from npgpt.speed.threads import sharded
from npgpt.training import (
    Trainer,
    adamw_init,
    adamw_step,
    clip_by_global_norm,
    init,
    loss_and_grads,
)
from npgpt.tree import tree_leaves
from parity_tests.trees import side_by_side

CONFIG = gpt2.Config(vocab_size=11, context_length=16, layers=2, heads=2, channels=8)


def same(one, other):
    return all(np.array_equal(x, y) for _, x, y in side_by_side(one, other))


def batch(sequences):
    ids = np.random.default_rng(3).integers(0, 11, (sequences, 16))
    return {"inputs": ids, "targets": np.roll(ids, -1, axis=1)}


def out_and_down(path, matrix):
    return path.endswith(("out.weight", "down.weight"))


def make_trainer(params, config=CONFIG, compile=False, state=None, **settings):
    """NumPy's, on the readable functions or on compiled loops."""
    on_loops = {}
    if compile:
        from npgpt.speed import compiled

        on_loops = {
            "loss_and_grads": compiled.on_loops(loss_and_grads), "update": compiled.adamw_step,
            "clip": compiled.clip_by_global_norm, "by_columns": compiled.by_columns}
    model = compiled.on_loops(gpt2) if compile else gpt2
    return Trainer(model, config, params, complete(settings), state=state, **on_loops)


@pytest.mark.parametrize("piece", [7, 100, flat.PIECE])
@pytest.mark.parametrize("sequences", [1, 3, 80])
def test_training_gives_the_same_bits(piece, sequences, monkeypatch):
    monkeypatch.setattr(flat, "PIECE", piece)
    nested = init(gpt2, CONFIG)
    views = flat.flatten(nested)
    assert same(nested, views)
    state, long_state = adamw_init(nested), adamw_init(flat.pieces(views))
    for _ in range(3):
        loss, grads = sharded(loss_and_grads, gpt2, nested, CONFIG, batch(sequences))
        long_loss, long_grads = sharded(
            loss_and_grads, gpt2, views, CONFIG, batch(sequences), out=flat.flat_like(views))
        assert loss == long_loss and same(grads, long_grads)
        adamw_step(nested, clip_by_global_norm(grads, 1e9)[0], state, lr=1e-2)
        clipped, _ = clip_by_global_norm(flat.pieces(long_grads), 1e9)
        adamw_step(flat.pieces(views), clipped, long_state, lr=1e-2)
    assert same(nested, views)


def test_matrices_lie_column_after_column_where_asked():
    nested = init(gpt2, CONFIG)
    views = flat.flatten(nested, out_and_down)
    assert same(nested, views)
    for name, view in tree_leaves(views):
        assert (view.T if out_and_down(name, view) else view).flags.c_contiguous, name


def test_compiled_loops_ask_for_those_along_their_longer_side():
    from npgpt.speed import compiled

    for name, weight in tree_leaves(init(gpt2, CONFIG)):
        if weight.ndim == 2:
            assert compiled.by_columns(name, weight) == out_and_down(name, weight), name


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("sequences", [1, 80])
def test_all_that_a_step_reads_lies_alike(compile, tied, sequences):
    """Arrays that lie unlike each other add up as well, but many times slower."""
    config = replace(CONFIG, tied=tied)
    trainer = make_trainer(init(gpt2, config), config, compile, accumulate=2, batch_size=2)
    trainer.step(batch(2 * sequences), 1e-3)
    _, of_shard = trainer.loss_and_grads(
        trainer.model, trainer.params, config=config, **batch(2))
    assert not np.shares_memory(
        trainer.grads["norm"]["bias"], trainer.part_grads["norm"]["bias"])
    moments = trainer.optimizer
    for tree in (trainer.grads, trainer.part_grads, of_shard, moments["m"], moments["v"]):
        for name, weight, other in side_by_side(trainer.params, tree):
            assert weight.strides == other.strides, name


def test_weights_in_columns_take_the_same_steps():
    """No moment may be taken for another weight's. A gradient that is nothing but
    rounding, 1e-16 beside AdamW's 1e-8, moves its weight by a rate of 1e-2 times that."""
    ends = []
    for compile in (False, True):
        params, state = init(gpt2, CONFIG, dtype=np.float64), None
        for step in range(3):
            trainer = make_trainer(params, compile=compile, state=state, clip=0.1)
            trainer.step(batch(3 + step), 1e-2)
            params, state = trainer.numpy(trainer.params), trainer.numpy(trainer.state())
        ends.append([params, state["m"], state["v"]])
    for name, one, other in side_by_side(*ends):
        assert np.abs(one - other).max() <= 1e-9, name


def test_moments_find_their_weights_by_name():
    """A saved state's dicts may be filled in another order than the weights'."""
    params = init(gpt2, CONFIG, dtype=np.float64)
    first = make_trainer(params)
    first.step(batch(3), 1e-2)
    params, state = first.numpy(first.params), first.numpy(first.state())
    upside_down = {"step": state["step"], **{
        name: dict(reversed(state[name].items())) for name in ("m", "v")}}
    ends = []
    for given in (state, upside_down):
        trainer = make_trainer(params, state=given)
        trainer.step(batch(3), 1e-2)
        ends.append([trainer.params, trainer.state()["m"], trainer.state()["v"]])
    assert same(*ends)


@pytest.mark.parametrize("by_columns", [flat.by_rows, out_and_down])
def test_pieces_share_memory_and_hold_every_number_once(by_columns):
    views = flat.flatten(init(gpt2, CONFIG), by_columns)
    pieces = flat.pieces(views)
    for _, piece in tree_leaves(pieces):
        piece[...] = 5
    assert all((array == 5).all() for _, array in tree_leaves(views))
    assert sum(p.size for _, p in tree_leaves(pieces)) == sum(a.size for _, a in tree_leaves(views))


def test_only_matrices_decay():
    views = flat.flatten(init(gpt2, CONFIG))
    before = flat.flatten(views)
    grads = {"matrices": [np.zeros_like(p) for p in flat.pieces(views)["matrices"]],
             "vectors": np.zeros_like(flat.pieces(views)["vectors"])}
    adamw_step(flat.pieces(views), grads, adamw_init(flat.pieces(views)), lr=0.5)
    for name, new, old in side_by_side(views, before):
        expected = old * (1 - 0.5 * 0.1) if old.ndim >= 2 else old
        np.testing.assert_allclose(new, expected, rtol=1e-6, err_msg=name)
