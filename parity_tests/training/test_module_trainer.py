"""`torchgpt.GPT` in the training loop: moments, accumulation, bfloat16,
compiling, and batches drawn ahead."""

import functools
import threading
from itertools import count

import numpy as np
import pytest
import torch

import npgpt.training
import torchgpt.models
import torchgpt.training
from npgpt.errors import InputError
from npgpt.models import gpt2
from npgpt.runs.settings import complete
from npgpt.training import adamw_init, init, loss_and_grads
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.tree import tree_leaves
from parity_tests.trees import side_by_side
from torchgpt import to_torch
from torchgpt.autograd import differentiable
from torchgpt.layers.gelu import gelu, gelu_backward
from torchgpt.modules.gpt2 import GPT, drop
from torchgpt.training.module_trainer import ModuleTrainer
from torchgpt.training.prefetcher import Prefetcher

B, T = 4, 8


def sizes(tied=False):
    return gpt2.Config(31, context_length=T, layers=2, heads=2, channels=16, tied=tied)


def rows(step):
    draws = np.random.default_rng(step)
    return {"inputs": draws.integers(0, 31, (B, T)), "targets": draws.integers(0, 31, (B, T))}


def by_numpy(config, params, settings, *, state=None, **_):
    return npgpt.training.Trainer(gpt2, config, params, settings, state=state)


def by_hand(config, params, settings, *, state=None, **_):
    return torchgpt.training.Trainer(
        torchgpt.models.gpt2, config, params, settings, state=state, device="cpu")


def by_module(config, params, settings, *, state=None, **options):
    return ModuleTrainer(GPT, config, params, settings, state=state, device="cpu", **options)


def open_trainer(make, config, kind=np.float64, params=None, state=None, given=(), **options):
    """At its first step, or where `params` and `state` come from; kind: the
    weights'; given: settings."""
    if params is None:
        params = init(gpt2, config, 1, kind)
    settings = complete({"weight_decay": 0.1, "batch_size": B, "clip": 0.5, **dict(given)})
    return make(config, params, settings, state=state, **options)


def train(trainer, steps, dropout=0.0):
    """-> the losses."""
    losses = []
    for step in steps:
        batch = rows(step)
        if dropout:
            batch["dropout_masks"] = draw_dropout_masks(
                gpt2, trainer.config, B, T, dropout, 1, step, np.float64)
        loss, _ = trainer.step(batch, 1e-2)
        losses.append(loss)
    return losses


def held_by(trainer):
    """-> params, state; NumPy, copies."""
    return trainer.numpy(trainer.params), trainer.numpy(trainer.state())


def assert_close(ours, theirs, within):
    for name, a, b in side_by_side(ours, theirs):
        scale = max(1.0, float(np.abs(b).max()))
        assert np.abs(a - b).max() <= within * scale, name


@pytest.mark.parametrize("tied", [True, False])
def test_moments_return_as_they_came(tied):
    first = open_trainer(by_numpy, sizes(tied))
    train(first, range(1, 4))
    params, state = held_by(first)
    _, back = held_by(open_trainer(by_module, sizes(tied), params=params, state=state))
    assert back["step"] == 3
    assert_close(back["m"], state["m"], 0)
    assert_close(back["v"], state["v"], 0)


@pytest.mark.parametrize("make", [by_numpy, by_hand, by_module])
def test_a_step_takes_the_run_s_own_settings(make):
    """No default of theirs: AdamW's two steps, written out, from the gradients found."""
    config, rate = sizes(), 0.03
    trainer = open_trainer(make, config, given={
        "beta_1": 0.6, "beta_2": 0.7, "weight_decay": 0.5, "clip": 1e9})
    expected, m, v = dict(tree_leaves(init(gpt2, config, 1, np.float64))), {}, {}
    for step in (1, 2):
        trainer.step(rows(step), rate)
        for name, g in tree_leaves(trainer.numpy(trainer.grads)):
            m[name] = 0.6 * m.get(name, 0) + 0.4 * g
            v[name] = 0.7 * v.get(name, 0) + 0.3 * g * g
            decay = 1 - rate * 0.5 if g.ndim >= 2 else 1
            size = np.sqrt(v[name] / (1 - 0.7 ** step)) + 1e-8
            expected[name] = decay * expected[name] - rate * m[name] / (1 - 0.6 ** step) / size
    for name, weight in tree_leaves(trainer.numpy(trainer.params)):
        np.testing.assert_allclose(weight, expected[name], rtol=0, atol=1e-9, err_msg=name)


def with_a_nan(function):
    """loss_and_grads, one of whose gradients goes bad."""
    def call(*args, **options):
        loss, grads = function(*args, **options)
        grads["blocks"][0]["norm_1"]["weight"][0] = np.nan
        return loss, grads

    return call


@pytest.mark.parametrize("make", [by_numpy, by_hand, by_module])
def test_clipping_spreads_no_nan(make):
    """What is bad alone stays alone, so that the run can name it; no weight moves."""
    trainer = open_trainer(make, sizes(), given={"clip": 0.01})
    if make is by_module:
        def bad(grad):
            return torch.where(torch.arange(len(grad)) == 0, np.nan, grad)

        trainer.module.blocks[0].norm_1.weight.register_hook(bad)
    else:
        trainer.loss_and_grads = with_a_nan(trainer.loss_and_grads)
    before = trainer.numpy(trainer.params)
    _, norm = trainer.step(rows(1), 1e-2)
    assert not np.isfinite(norm)
    finite = {name: np.isfinite(grad).all()
              for name, grad in tree_leaves(trainer.numpy(trainer.grads))}
    assert [name for name, well in finite.items() if not well] == ["blocks.0.norm_1.weight"]
    assert_close(trainer.numpy(trainer.params), before, 0)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("first", ["numpy", "torch"])
def test_a_run_goes_on_in_the_other_trainer(first, tied):
    config, params, state = sizes(tied), None, None
    makes = [by_numpy, by_module]
    if first == "torch":
        makes.reverse()
    for make, steps in zip(makes, (range(1, 4), range(4, 7))):
        trainer = open_trainer(make, config, params=params, state=state)
        train(trainer, steps)
        params, state = held_by(trainer)
    alone = open_trainer(by_numpy, config)
    train(alone, range(1, 7))
    assert_close(params, alone.params, 1e-11)
    assert_close(state["m"], alone.state()["m"], 1e-12)
    assert_close(state["v"], alone.state()["v"], 1e-12)


@pytest.mark.parametrize("make", [by_numpy, by_hand, by_module])
def test_parts_of_a_batch_add_up_to_it(make):
    losses, grads = {}, {}
    for parts in (1, 4):
        trainer = open_trainer(
            make, sizes(), given={"accumulate": parts, "clip": 1e9}, shared_dropout=True)
        losses[parts] = train(trainer, [1], dropout=0.2)[0]
        grads[parts] = trainer.numpy(trainer.grads)
    assert abs(losses[1] - losses[4]) < 1e-13
    assert_close(grads[4], grads[1], 1e-14)


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("make", [by_numpy, by_hand, by_module])
def test_ignored_targets_do_not_count(make, accumulate):
    config, batch = sizes(), rows(1)
    batch["targets"][:, ::2] = -100
    batch["targets"][0] = -100      # parts of unlike counts, one of nothing
    params = init(gpt2, config, 1, np.float64)
    loss, grads = loss_and_grads(gpt2, params, config=config, **batch)
    trainer = open_trainer(make, config, given={"clip": 1e9, "accumulate": accumulate})
    validation = trainer.loss(batch)
    ours, _ = trainer.step(batch, 1e-2)
    assert abs(ours - float(loss)) < 1e-13 and abs(validation - float(loss)) < 1e-13
    assert_close(trainer.numpy(trainer.grads), grads, 1e-14)


def test_nothing_to_learn_from_gives_zero():
    config = sizes()
    model = GPT.from_params(to_torch(init(gpt2, config)), config)
    ids = torch.zeros((2, T), dtype=torch.long)
    for reduction in ("mean", "sum"):
        _, loss = model(ids, torch.full_like(ids, -100), reduction=reduction)
        loss.backward()
        assert loss.item() == 0
        assert not any(weight.grad.any() for weight in model.parameters())


def test_the_optimiser_is_fused_and_decays_matrices_only():
    matrices, vectors = open_trainer(by_module, sizes(), np.float32).optimizer.param_groups
    assert matrices["fused"] and vectors["fused"]
    assert {w.ndim for w in matrices["params"]} == {2}
    assert {w.ndim for w in vectors["params"]} == {1}
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)


def test_dropout_follows_seed_and_step_alone():
    config, noise = sizes(), count()
    params = init(gpt2, config)

    def loss(step, seed=1):
        state = {**adamw_init(params), "step": step - 1}
        trainer = open_trainer(by_module, config, params=params, state=state,
                               given={"dropout": 0.3, "seed": seed})
        torch.rand(next(noise))  # whatever was drawn before
        return trainer.step(rows(1), 1e-2)[0]

    assert loss(5) == loss(5) != loss(6)
    assert loss(5) != loss(5, seed=2)


@pytest.mark.parametrize("place", [
    "embedding", "attention", "attention_out", "feed_forward_out"])
def test_each_dropout_of_the_module_drops(place):
    """All masks but one are given as ones; that one torch draws, in SDPA for
    "attention" and in drop() elsewhere."""
    config = sizes()
    model = GPT.from_params(to_torch(init(gpt2, config, 1, np.float64)), config, dropout=0.5)
    masks = {"embedding": torch.ones(()), "blocks": [
        dict.fromkeys(("attention", "attention_out", "feed_forward_out"), torch.ones(()))
        for _ in range(2)]}
    for part in (masks, *masks["blocks"]):
        part.pop(place, None)
    ids = torch.tensor(rows(1)["inputs"])
    still, _ = model.eval()(ids, dropout_masks=masks)
    drawn = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        drawn.append(model.train()(ids, dropout_masks=masks)[0])
    assert not torch.allclose(drawn[0], still) and not torch.allclose(drawn[0], drawn[1])
    assert torch.equal(drawn[0], drawn[2])


def test_a_mask_of_torch_s_own_drops_half_and_doubles_the_rest():
    model = GPT(sizes(), dropout=0.5).train()
    torch.manual_seed(1)
    found = drop(torch.ones(10_000), None, model)
    assert set(found.tolist()) == {0.0, 2.0} and abs(float(found.mean()) - 1) < 0.05
    assert torch.equal(drop(torch.ones(9), None, model.eval()), torch.ones(9))


def test_bfloat16_computes_only():
    """Losses within two of bfloat16's steps (2⁻⁸ each) of float32's; weights
    and moments are float32 and move alike."""
    found = {}
    for dtype in ("float32", "bfloat16"):
        trainer = open_trainer(by_module, sizes(), np.float32, dtype=dtype)
        found[dtype] = np.array(train(trainer, [1] * 12))
        params, state = held_by(trainer)
        arrays = [a for tree in (params, state["m"], state["v"]) for _, a in tree_leaves(tree)]
        assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    assert not np.array_equal(found["bfloat16"], found["float32"])
    near = np.abs(found["bfloat16"] / found["float32"] - 1)
    assert near.max() < 2 * 2**-8
    assert found["bfloat16"][-1] < found["bfloat16"][0] - 0.5


def compile_with(monkeypatch, backend):
    torch.compiler.reset()  # nothing compiled by another test
    monkeypatch.setattr(GPT, "compile", functools.partialmethod(
        torch.nn.Module.compile, backend=backend, fullgraph=True))


def test_a_step_is_one_graph_and_a_validation_none(monkeypatch):
    graphs = []

    def count(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compile_with(monkeypatch, count)
    losses, grads = {}, {}
    for compiled in (False, True):
        trainer = open_trainer(
            by_module, sizes(), given={"accumulate": 2, "clip": 1e9}, dtype="float64",
            compiled=compiled)
        losses[compiled] = train(trainer, [1, 2])
        grads[compiled] = trainer.numpy(trainer.grads)
        trainer.loss({name: ids[:3, :5] for name, ids in rows(3).items()})
    assert len(graphs) == 1
    assert np.allclose(losses[True], losses[False], rtol=0, atol=1e-13)
    assert_close(grads[True], grads[False], 1e-13)


def test_a_missing_compiler_is_one_line(monkeypatch):
    def broken(graph, inputs):
        raise RuntimeError("no compiler\nwith a long tale")

    compile_with(monkeypatch, broken)
    trainer = open_trainer(by_module, sizes(), np.float32, compiled=True)
    with pytest.raises(InputError, match=r"--compile fails .*no compiler.* without --compile") as e:
        trainer.step(rows(1), 1e-2)
    assert "\n" not in str(e.value)


@pytest.mark.acceptance
@pytest.mark.parametrize("dtype, within", [("float32", 1e-5), ("bfloat16", 2**-7)])
def test_inductor_gives_the_eager_losses(dtype, within):
    found = {}
    for compiled in (False, True):
        trainer = open_trainer(by_module, sizes(), np.float32, dtype=dtype, compiled=compiled)
        found[compiled] = np.array(train(trainer, [1] * 5))
    assert np.abs(found[True] / found[False] - 1).max() < within


def test_batches_come_ahead_and_are_the_same():
    drawn = []

    def draw(step):
        drawn.append((step, threading.current_thread() is threading.main_thread()))
        return {"inputs": np.array([step]), "targets": np.array([-step])}

    ahead = Prefetcher(draw, lambda array: array * 10)
    for step in (1, 2, 3, 7, 8):
        batch = ahead(step)
        assert {name: array.tolist() for name, array in batch.items()} == {
            "inputs": [10 * step], "targets": [-10 * step]}
    ahead.thread.shutdown()
    # 1 and 7 were asked for out of turn; 4 and 9 were drawn for nothing
    assert sorted(drawn) == [(1, True), (2, False), (3, False), (4, False),
                             (7, True), (8, False), (9, False)]


def test_masks_come_ahead_too():
    masks = {"embedding": np.zeros(2), "blocks": [{"attention": np.zeros(3)}]}
    ahead = Prefetcher(lambda step: {"dropout_masks": masks}, lambda array: array + 1)
    found = ahead(1)["dropout_masks"]
    assert found["embedding"].tolist() == [1, 1]
    assert found["blocks"][0]["attention"].tolist() == [1, 1, 1]


def test_an_error_while_drawing_ahead_is_told():
    def draw(step):
        if step == 2:
            raise InputError("the corpus is gone")
        return {"inputs": np.zeros(1)}

    ahead = Prefetcher(draw, lambda array: array)
    ahead(1)
    with pytest.raises(InputError, match="the corpus is gone"):
        ahead(2)


def test_a_pair_refuses_second_derivatives():
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    once = differentiable(gelu, gelu_backward)(x)
    (d_x,) = torch.autograd.grad((once * once).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        d_x.sum().backward()
