"""`torchgpt.GPT` in the training loop: moments, accumulation, bfloat16,
compiling, and batches drawn ahead."""

import functools
import threading

import numpy as np
import pytest
import torch
from npgpt.training.half import NumpyHalf
from torchgpt.training.ahead import Ahead
from torchgpt.training.half import Autograd, ByHand

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.runs.settings import complete
from npgpt.training import init_gpt
from npgpt.training.dropout_masks import draw_keep
from npgpt.training.loop import accumulate
from npgpt.tree import leaves
from torchgpt import to_torch
from torchgpt.autograd import differentiable
from torchgpt.layers.gelu import gelu, gelu_backward
from torchgpt.modules.gpt2 import GPT, drop

SETTINGS = complete({"weight_decay": 0.1})
B, T = 4, 8


def sizes(tied=False):
    return Config(31, context_length=T, layers=2, heads=2, channels=16, tied=tied)


def rows(step):
    draws = np.random.default_rng(step)
    return draws.integers(0, 31, (B, T)), draws.integers(0, 31, (B, T))


def train(half, model, optimizer, config, steps, parts=1, keep_rate=0.0):
    """-> the losses, the last gradients before clipping (NumPy)."""
    losses, grads = [], None
    for step in steps:
        keep = draw_keep(config, B, T, keep_rate, 1, step, np.float64)
        half.begin_step(model, 1, step)
        loss, grads = accumulate(model, half, config, *rows(step), keep, parts)
        found = half.grads(grads)
        grads, _ = half.clip(grads, 0.5)
        half.step(model, grads, optimizer, 1e-2, SETTINGS)
        losses.append(loss)
    return losses, found


def assert_close(ours, theirs, within):
    for (name, a), (other, b) in zip(leaves(ours), leaves(theirs), strict=True):
        assert name == other
        scale = max(1.0, float(np.abs(b).max()))
        assert np.abs(a - b).max() <= within * scale, name


@pytest.mark.parametrize("tied", [True, False])
def test_moments_return_as_they_came(tied):
    config = sizes(tied)
    numpy_half, torch_half = NumpyHalf("float64"), Autograd("cpu", "float64")
    params = numpy_half.model(init_gpt(config, 1, np.float64), config)
    optimizer = numpy_half.optimizer(params, SETTINGS)
    train(numpy_half, params, optimizer, config, range(1, 4))
    state = numpy_half.optimizer_state(params, optimizer)
    model = torch_half.model(params, config)
    back = torch_half.optimizer_state(
        model, torch_half.optimizer(model, SETTINGS, state))
    assert back["step"] == 3
    assert_close(back["m"], state["m"], 0)
    assert_close(back["v"], state["v"], 0)


@pytest.mark.parametrize("half", [
    NumpyHalf("float64"), ByHand("cpu", "float64"), Autograd("cpu", "float64")])
def test_a_step_takes_the_run_s_own_settings(half):
    """No default of theirs: AdamW's two steps, written out, from the gradients found."""
    config, rate = sizes(), 0.03
    settings = complete({"beta_1": 0.6, "beta_2": 0.7, "weight_decay": 0.5})
    before = init_gpt(config, 1, np.float64)
    model = half.model(before, config)
    optimizer = half.optimizer(model, settings)
    expected, m, v = dict(leaves(before)), {}, {}
    for step in (1, 2):
        _, grads = accumulate(model, half, config, *rows(step), None, 1)
        found = dict(leaves(half.grads(grads)))
        clipped, _ = half.clip(grads, 1e9)
        half.step(model, clipped, optimizer, rate, settings)
        for name, g in found.items():
            m[name] = 0.6 * m.get(name, 0) + 0.4 * g
            v[name] = 0.7 * v.get(name, 0) + 0.3 * g * g
            decay = 1 - rate * 0.5 if g.ndim >= 2 else 1
            size = np.sqrt(v[name] / (1 - 0.7 ** step)) + 1e-8
            expected[name] = decay * expected[name] - rate * m[name] / (1 - 0.6 ** step) / size
    for name, weight in leaves(half.params(model)):
        np.testing.assert_allclose(weight, expected[name], rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("half", [
    NumpyHalf("float64"), ByHand("cpu", "float64"), Autograd("cpu", "float64")])
def test_clipping_spreads_no_nan(half):
    """What is bad alone stays alone, so that the run can name it."""
    config = sizes()
    model = half.model(init_gpt(config, 1, np.float64), config)
    _, grads = accumulate(model, half, config, *rows(1), None, 1)
    bad = (model.blocks[0].norm_1.weight.grad if isinstance(half, Autograd)
           else grads["blocks"][0]["norm_1"]["weight"])
    bad[0] = np.nan
    _, norm = half.clip(grads, 0.01)
    assert not np.isfinite(float(norm))
    finite = {name: np.isfinite(grad).all() for name, grad in leaves(half.grads(grads))}
    assert [name for name, well in finite.items() if not well] == ["blocks.0.norm_1.weight"]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("first", ["numpy", "torch"])
def test_a_run_goes_on_in_the_other_half(first, tied):
    config = sizes(tied)
    halves = [NumpyHalf("float64"), Autograd("cpu", "float64")]
    if first == "torch":
        halves.reverse()
    params, state = init_gpt(config, 1, np.float64), None
    for half, steps in zip(halves, (range(1, 4), range(4, 7))):
        model = half.model(params, config)
        optimizer = half.optimizer(model, SETTINGS, state)
        train(half, model, optimizer, config, steps)
        params, state = half.params(model), half.optimizer_state(model, optimizer)
    alone = NumpyHalf("float64")
    expected = alone.model(init_gpt(config, 1, np.float64), config)
    optimizer = alone.optimizer(expected, SETTINGS)
    train(alone, expected, optimizer, config, range(1, 7))
    assert_close(params, expected, 1e-11)
    assert_close(state["m"], optimizer["m"], 1e-12)
    assert_close(state["v"], optimizer["v"], 1e-12)


def test_parts_of_a_batch_add_up_to_it():
    config, half = sizes(), Autograd("cpu", "float64", shared_dropout=True)
    found = {}
    for parts in (1, 4):
        model = half.model(init_gpt(config, 1, np.float64), config)
        found[parts] = train(half, model, half.optimizer(model, SETTINGS), config,
                             [1], parts, keep_rate=0.2)
    assert abs(found[1][0][0] - found[4][0][0]) < 1e-13
    assert_close(found[4][1], found[1][1], 1e-14)


def test_ignored_targets_do_not_count():
    config = sizes()
    params = init_gpt(config, 1, np.float64)
    ids, targets = rows(1)
    targets[:, ::2] = -100
    numpy_half, torch_half = NumpyHalf("float64"), Autograd("cpu", "float64")
    loss, grads = numpy_half.loss_and_grads(params, ids, targets, config)
    model = torch_half.model(params, config)
    ours, _ = torch_half.loss_and_grads(
        model, torch.tensor(ids), torch.tensor(targets), config)
    assert abs(float(ours) - float(loss)) < 1e-13
    assert_close(torch_half.grads(model), grads, 1e-14)


def test_nothing_to_learn_from_gives_zero():
    config = sizes()
    model = GPT.from_params(to_torch(init_gpt(config)), config)
    ids = torch.zeros((2, T), dtype=torch.long)
    for reduction in ("mean", "sum"):
        _, loss = model(ids, torch.full_like(ids, -100), reduction=reduction)
        loss.backward()
        assert loss.item() == 0
        assert not any(weight.grad.any() for weight in model.parameters())


def test_the_optimiser_is_fused_and_decays_matrices_only():
    half, config = Autograd("cpu"), sizes()
    model = half.model(init_gpt(config), config)
    matrices, vectors = half.optimizer(model, SETTINGS).param_groups
    assert matrices["fused"] and vectors["fused"]
    assert {w.ndim for w in matrices["params"]} == {2}
    assert {w.ndim for w in vectors["params"]} == {1}
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)


def test_dropout_follows_seed_and_step_alone():
    half, config = Autograd("cpu", "float32", dropout=0.3), sizes()
    ids, targets = (torch.tensor(row) for row in rows(1))

    def loss(step):
        model = half.model(init_gpt(config), config)
        torch.rand(step)  # whatever was drawn before
        half.begin_step(model, 1, step)
        return float(half.loss_and_grads(model, ids, targets, config)[0])

    assert loss(5) == loss(5) != loss(6)


@pytest.mark.parametrize("place", [
    "embedding", "attention", "attention_out", "feed_forward_out"])
def test_each_dropout_of_the_module_drops(place):
    """All masks but one are given as ones; that one torch draws, in SDPA for
    "attention" and in drop() elsewhere."""
    config = sizes()
    model = GPT.from_params(Autograd("cpu", "float64").load(init_gpt(config, 1, np.float64)),
                            config, dropout=0.5)
    keep = {"embedding": torch.ones(()), "blocks": [
        dict.fromkeys(("attention", "attention_out", "feed_forward_out"), torch.ones(()))
        for _ in range(2)]}
    for part in (keep, *keep["blocks"]):
        part.pop(place, None)
    ids = torch.tensor(rows(1)[0])
    still, _ = model.eval()(ids, keep=keep)
    drawn = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        drawn.append(model.train()(ids, keep=keep)[0])
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
    config, found = sizes(), {}
    for dtype in ("float32", "bfloat16"):
        half = Autograd("cpu", dtype)
        model = half.model(init_gpt(config), config)
        optimizer = half.optimizer(model, SETTINGS)
        losses, _ = train(half, model, optimizer, config, [1] * 12)
        found[dtype] = np.array(losses)
        state = half.optimizer_state(model, optimizer)
        arrays = [a for tree in (half.params(model), state["m"], state["v"])
                  for _, a in leaves(tree)]
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
    config, found = sizes(), {}
    for compiled in (False, True):
        half = Autograd("cpu", "float64", compiled=compiled)
        model = half.model(init_gpt(config, 1, np.float64), config)
        found[compiled] = train(
            half, model, half.optimizer(model, SETTINGS), config, [1, 2], parts=2)
        ids, targets = (torch.tensor(row) for row in rows(3))
        half.loss(model, ids[:3, :5], targets[:3, :5], config)
    assert len(graphs) == 1
    assert np.allclose(found[True][0], found[False][0], rtol=0, atol=1e-13)
    assert_close(found[True][1], found[False][1], 1e-13)


def test_a_missing_compiler_is_one_line(monkeypatch):
    def broken(graph, inputs):
        raise RuntimeError("no compiler\nwith a long tale")

    compile_with(monkeypatch, broken)
    half, config = Autograd("cpu", compiled=True), sizes()
    model = half.model(init_gpt(config), config)
    ids, targets = (torch.tensor(row) for row in rows(1))
    with pytest.raises(InputError, match=r"--compile fails .*no compiler.* without --compile") as e:
        half.loss_and_grads(model, ids, targets, config)
    assert "\n" not in str(e.value)


@pytest.mark.acceptance
@pytest.mark.parametrize("dtype, within", [("float32", 1e-5), ("bfloat16", 2**-7)])
def test_inductor_gives_the_eager_losses(dtype, within):
    config, found = sizes(), {}
    for compiled in (False, True):
        half = Autograd("cpu", dtype, compiled=compiled)
        model = half.model(init_gpt(config), config)
        losses, _ = train(half, model, half.optimizer(model, SETTINGS), config, [1] * 5)
        found[compiled] = np.array(losses)
    assert np.abs(found[True] / found[False] - 1).max() < within


def test_batches_come_ahead_and_are_the_same():
    drawn = []

    def draw(step):
        drawn.append((step, threading.current_thread() is threading.main_thread()))
        return np.array([step]), np.array([-step]), None

    ahead = Ahead(lambda array: array * 10)
    for step in (1, 2, 3, 7, 8):
        inputs, targets, keep = ahead(draw, step)
        assert (inputs[0], targets[0], keep) == (10 * step, -10 * step, None)
    ahead.thread.shutdown()
    # 1 and 7 were asked for out of turn; 4 and 9 were drawn for nothing
    assert sorted(drawn) == [(1, True), (2, False), (3, False), (4, False),
                             (7, True), (8, False), (9, False)]


def test_masks_come_ahead_too():
    ahead = Ahead(lambda array: array + 1)
    keep = {"embedding": np.zeros(2), "blocks": [{"attention": np.zeros(3)}]}
    _, _, found = ahead(lambda step: (np.zeros(1), np.zeros(1), keep), 1)
    assert found["embedding"].tolist() == [1, 1]
    assert found["blocks"][0]["attention"].tolist() == [1, 1, 1]


def test_an_error_while_drawing_ahead_is_told():
    def draw(step):
        if step == 2:
            raise InputError("the corpus is gone")
        return np.zeros(1), np.zeros(1), None

    ahead = Ahead(lambda array: array)
    ahead(draw, 1)
    with pytest.raises(InputError, match="the corpus is gone"):
        ahead(draw, 2)


def test_a_pair_refuses_second_derivatives():
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    once = differentiable(gelu, gelu_backward)(x)
    (d_x,) = torch.autograd.grad((once * once).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        d_x.sum().backward()
