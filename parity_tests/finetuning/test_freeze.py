"""What is frozen stays as it is, bit for bit, and no gradient of it is computed; what
trains is the same in NumPy, by hand in torch, and by autograd."""

import numpy as np
import pytest

import npgpt.training
import torchgpt.models
import torchgpt.training
from npgpt.errors import InputError
from npgpt.finetuning import freeze, init_adapters, lora_adapters, lora_weights, trained_only
from npgpt.finetuning.freeze import put_back, trained_part
from npgpt.models import gpt2, llama
from npgpt.random_stream import normals
from npgpt.runs.settings import complete
from npgpt.speed import compiled
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves, tree_map, tree_map_with_path
from torchgpt import finetuning as by_torch
from torchgpt.modules import BY_TYPE
from torchgpt.modules.lora import merged
from torchgpt.training.module_trainer import ModuleTrainer

GPT2 = gpt2.Config(11, context_length=6, layers=2, heads=2, channels=8)
LLAMA = llama.Config(11, context_length=6, layers=2, heads=2, kv_heads=1, channels=8)
MODELS = {"gpt2": (gpt2, GPT2, ["qkv", "down"]), "llama": (llama, LLAMA, ["q", "v"])}
RANK, ALPHA, CLOSE = 2, 5.0, 1e-9
SETTINGS = complete({"weight_decay": 0.1, "batch_size": 4, "clip": 0.5, "accumulate": 2})


def rows(step):
    draws = np.random.default_rng(step)
    targets = draws.integers(0, 11, (4, 6))
    targets[0, :3] = -100
    return {"inputs": draws.integers(0, 11, (4, 6)), "targets": targets}


def bits(params):
    return {path: array.tobytes() for path, array in tree_leaves(params)}


def begun(kind, dtype=np.float64):
    """A model, its Config, its weights, adapters of it that are not at their beginning."""
    model, config, targets = MODELS[kind]
    params = init(model, config, 1, dtype)
    adapters = init_adapters(model, config, targets, RANK, 3, dtype)
    for i, each in enumerate(adapters.values()):
        each["B"] += normals(each["B"].shape, 5, i, "B").astype(dtype) * 0.1
    return model, config, params, adapters


def by_numpy(kind, config, params, kwargs):
    return npgpt.training.Trainer(MODELS[kind][0], config, params, SETTINGS, **kwargs)


def by_hand(kind, config, params, kwargs):
    return torchgpt.training.Trainer(
        getattr(torchgpt.models, kind), config, params, SETTINGS, device="cpu", **kwargs)


def by_module(kind, config, params, kwargs):
    return ModuleTrainer(BY_TYPE[kind], config, params, SETTINGS, device="cpu", **kwargs)


def adapted(make, kind, params, adapters):
    room = by_torch.lora_adapters if make is by_hand else lora_adapters
    return room(params, adapters, ALPHA)


@pytest.mark.parametrize("kind, steps", [("llama", 4), *[
    pytest.param(kind, 50, marks=pytest.mark.acceptance) for kind in MODELS]])
def test_steps_of_lora_three_ways(kind, steps):
    """Decay and clipping included; and the base has the bits that it had."""
    _, config, params, adapters = begun(kind)
    before = bits(params)
    trainers = [make(kind, config, params, {"adapters": adapted(make, kind, params, adapters)})
                for make in (by_numpy, by_hand, by_module)]
    for step in range(steps):
        results = [each.step(rows(step), 1e-2) for each in trainers]
        assert np.ptp(results, axis=0).max() <= CLOSE * np.max(results), step
    ours, *others = [each.numpy(each.params) for each in trainers]
    for path, array in tree_leaves(ours):
        for other in others:
            assert np.abs(dict(tree_leaves(other))[path] - array).max() <= CLOSE * (
                np.abs(array).max()), path
        assert not np.array_equal(array, dict(tree_leaves(adapters))[path]), path
    assert bits(params) == before
    theirs = trainers[1].numpy(trainers[1].adapters.params)
    assert bits({path: array for path, array in tree_leaves(theirs)
                 if hasattr(array, "dtype")}) == before
    module = trainers[2].module.state_dict()
    for path, array in tree_leaves(params):
        layer, _, name = path.rpartition(".")
        own = module[f"{layer}.linear.{name}" if layer in adapters else path].numpy()
        linear = name == "weight" and path.startswith("blocks") and array.ndim == 2
        assert np.array_equal(own, array.T if linear else array), path
    losses = [each.loss(rows(99)) for each in trainers]
    assert max(losses) - min(losses) <= CLOSE * max(losses)
    weights, _ = lora_weights(params, ours, ALPHA)
    for path, weight in merged(trainers[2].module).items():
        found = dict(tree_leaves(weights))[f"{path}.weight"]
        assert np.abs(weight.numpy().T - found).max() <= CLOSE


@pytest.mark.parametrize("kind", MODELS)
def test_with_B_zero_the_model_is_the_base(kind):
    """Bit for bit; A's gradient is 0, and B's is not."""
    model, config, targets = MODELS[kind]
    params = init(model, config, 1)
    adapters = init_adapters(model, config, targets, RANK)
    weights, _ = lora_weights(params, adapters, ALPHA)
    for path, array in tree_leaves(weights):
        assert np.array_equal(array, dict(tree_leaves(params))[path]), path
    trainer = by_numpy(
        kind, config, params, {"adapters": adapted(by_numpy, kind, params, adapters)})
    trainer.step(rows(0), 0.0)
    for path, grad in tree_leaves(trainer.grads):
        assert np.any(grad) == path.endswith(".B"), path


def test_what_is_frozen_is_not_saved_and_gets_no_gradient():
    model, config, params, adapters = begun("llama")
    frozen = freeze(params, lambda path: path in adapters)
    _, grads = loss_and_grads(model, frozen, **rows(0), config=config)
    assert {path for path, _ in tree_leaves(grads)} == {f"{layer}.weight" for layer in adapters}
    _, saved = model.forward(frozen, rows(0)["inputs"], config)
    head = saved[4]
    assert head[0] is None and saved[0][0] is None


@pytest.mark.parametrize("kind", MODELS)
def test_parts_may_train(kind):
    """By name; the same in all three."""
    _, config, params, _ = begun(kind)
    only = trained_only(params, ["norm_*", "blocks.1.attention.*"])
    names = {path for path, _ in tree_leaves(only.trained)}
    assert names == {path for path, _ in tree_leaves(params)
                     if ".norm_" in path or path.startswith("blocks.1.attention")}
    before = bits(params)
    trainers = [make(kind, config, params, {"adapters": only})
                for make in (by_numpy, by_hand, by_module)]
    for step in range(5):
        results = [each.step(rows(step), 1e-2) for each in trainers]
        assert np.ptp(results, axis=0).max() <= CLOSE * np.max(results), step
    assert bits(params) == before
    ours, *others = [dict(tree_leaves(each.numpy(each.params))) for each in trainers]
    assert set(ours) == names
    for path, array in ours.items():
        assert all(np.abs(other[path] - array).max() <= CLOSE * np.abs(array).max()
                   for other in others), path


def test_training_parts_is_training_with_the_others_at_rest():
    """The gradients are those that training all of it has for them."""
    model, config, params, _ = begun("gpt2")
    only = trained_only(params, ["up"])
    _, some = loss_and_grads(model, only.params, **rows(0), config=config)
    _, every = loss_and_grads(model, params, **rows(0), config=config)
    for path, grad in tree_leaves(some):
        assert np.array_equal(grad, dict(tree_leaves(every))[path]), path
    again, _ = put_back(only.params, tree_map(lambda array: array + 1, only.trained))
    assert trained_part(again)["norm"] == {}
    with pytest.raises(InputError, match="no layer of this model is called 'query'"):
        trained_only(params, ["query"])


@pytest.mark.parametrize("make", [by_numpy, by_hand, by_module])
def test_a_trainer_goes_on_where_another_was(make):
    _, config, params, adapters = begun("llama")
    whole, first = (make("llama", config, params, {
        "adapters": adapted(make, "llama", params, adapters)}) for _ in range(2))
    for step in range(4):
        loss, _ = whole.step(rows(step), 1e-2)
        if step < 2:
            first.step(rows(step), 1e-2)
    state = first.numpy(first.state())
    second = make("llama", config, params, {
        "adapters": adapted(make, "llama", params, first.numpy(first.params)), "state": state})
    second.step(rows(2), 1e-2)
    assert second.step(rows(3), 1e-2)[0] == loss
    assert second.numpy(second.state())["step"] == 4


@pytest.mark.acceptance
def test_on_compiled_layers_too():
    pytest.importorskip("numba")
    model, config, params, adapters = begun("gpt2", np.float32)
    plain = by_numpy("gpt2", config, params, {"adapters": lora_adapters(params, adapters, ALPHA)})
    fast = npgpt.training.Trainer(
        compiled.on_loops(model), config, params, SETTINGS,
        adapters=lora_adapters(params, adapters, ALPHA),
        loss_and_grads=compiled.on_loops(loss_and_grads), clip=compiled.clip_by_global_norm,
        update=compiled.adamw_step, by_columns=compiled.by_columns)
    for step in range(3):
        one, two = (each.step(rows(step), 1e-2) for each in (plain, fast))
        assert np.allclose(one, two, rtol=1e-4), step


def test_dtype_is_the_models():
    model, config, params, adapters = begun("gpt2", np.float32)
    weights, _ = lora_weights(params, adapters, 5)
    kinds = tree_map_with_path(lambda path, array: array.dtype, weights)
    assert {kind for _, kind in tree_leaves(kinds)} == {np.dtype("float32")}
