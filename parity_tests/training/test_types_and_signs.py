"""What the functions of training refuse or put right as it comes in, in both packages: numbers
of NumPy's, limits of the wrong sign, ids that are none of the model's."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import npgpt.layers
import npgpt.training
import torchgpt.layers
import torchgpt.training
from npgpt.errors import InputError
from npgpt.families.checks import check_below
from npgpt.models import gpt2
from npgpt.runs.settings import complete
from npgpt.training import init
from npgpt.tree import tree_leaves, tree_map
from torchgpt import to_torch
from torchgpt.modules import GPT
from torchgpt.training.module_trainer import ModuleTrainer
from torchgpt.training.trainer import Trainer as TorchTrainer

CONFIG = gpt2.Config(vocab_size=11, context_length=6, layers=1, heads=2, channels=8)
README = Path(__file__).parents[2] / "README.md"
PACKAGES = {"numpy": (npgpt, lambda tree: tree), "torch": (torchgpt, to_torch)}
both = pytest.mark.parametrize("which", PACKAGES)


def floats(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def same_bits(one, other):
    for (name, a), (_, b) in zip(tree_leaves(one), tree_leaves(other), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.dtype == b.dtype == np.float32, (name, a.dtype, b.dtype)
        assert a.tobytes() == b.tobytes(), name


@both
def test_a_number_of_numpy_s_is_a_number(which):
    """np.float64 is one, but in NumPy it widens what it is multiplied with."""
    package, own = PACKAGES[which]
    x, weight, bias = (own({"": floats(i, *shape)})[""]
                       for i, shape in enumerate([(3, 5), (5,), (5,)]))
    grads = own({"a": floats(4, 2, 3), "b": [{"c": floats(5, 4)}]})

    def norm(number):
        y, saved = package.layers.layer_norm(x, weight, bias, eps=number(3e-4))
        d_x, parts = package.layers.layer_norm_backward(x, saved)
        return {"y": y, "d_x": d_x, **parts}

    def rms_norm(number):
        y, saved = package.layers.rms_norm(x, weight, eps=number(3e-4))
        d_x, parts = package.layers.rms_norm_backward(x, saved)
        return {"y": y, "d_x": d_x, **parts}

    def clip(number):
        return package.training.clip_by_global_norm(grads, number(0.7))[0]

    def move(number):
        params = tree_map(lambda array: array * 1, grads)
        state = package.training.adamw_init(params)
        for _ in range(2):
            package.training.adamw_step(
                params, grads, state, lr=number(1e-2), eps=number(1e-7),
                betas=(number(0.8), number(0.9)), weight_decay=number(0.3))
        return {"params": params, "m": state["m"], "v": state["v"]}

    def penalise(number):
        used = own({"": np.arange(5) % 2 == 0})[""]
        return {"": package.generation.penalise_repeats(x[0], used, number(1.3))}

    for compute in norm, rms_norm, clip, move, penalise:
        same_bits(compute(np.float64), compute(float))


@both
@pytest.mark.parametrize("limit", [-1.0, 0, -0.0, np.nan, "1", None, True, np.ones(1)])
def test_a_limit_that_is_none_is_refused(which, limit):
    package, own = PACKAGES[which]
    with pytest.raises(InputError, match="max_norm is"):
        package.training.clip_by_global_norm(own({"a": floats(1, 3)}), limit)


IDS = np.array([[1, 2, 3], [4, 5, 6]])
WRONG = [
    ({"inputs": IDS - 2}, "ids: -1 is outside the vocabulary, 0 to 10"),
    ({"inputs": IDS + 5}, "ids: 11 is outside the vocabulary, 0 to 10"),
    ({"targets": IDS - 2}, "targets: -1 is neither -100 nor from 0 to 10"),
    ({"targets": np.where(IDS == 5, 11, IDS)}, "targets: 11 is neither"),
    ({"inputs": IDS.astype(np.int32)}, "ids: expected int64 numbers, got int32"),
    ({"inputs": IDS.astype(np.float64)}, "ids: expected int64 numbers, got float64"),
    ({"inputs": IDS[0]}, r"ids: expected shape \(batch, tokens\)"),
    ({"inputs": np.ones((1, 7), int)}, "ids: 7 tokens do not fit the context of 6"),
    ({"targets": IDS[:, :2]}, r"targets: expected shape \(2, 3\)"),
]
wrong = pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _, said in WRONG])


@both
@wrong
def test_loss_and_grads_refuses_what_is_not_the_model_s(which, change, said):
    package, own = PACKAGES[which]
    model = gpt2 if which == "numpy" else torchgpt.models.gpt2
    batch = own({"inputs": IDS, "targets": IDS, **change})
    with pytest.raises(InputError, match=said):
        package.training.loss_and_grads(
            model, own(init(gpt2, CONFIG)), config=CONFIG, **batch)


@wrong
def test_the_module_refuses_it_too(change, said):
    given = {"inputs": IDS, "targets": IDS, **change}
    ids, targets = (torch.from_numpy(given[name]) for name in ("inputs", "targets"))
    with pytest.raises(InputError, match=said):
        GPT(CONFIG)(ids, targets)
    logits, loss = GPT(CONFIG)(torch.from_numpy(IDS), torch.full((2, 3), -100))
    assert logits.shape == (2, 3, 11) and float(loss.detach()) == 0


def test_the_module_s_door_stays_out_of_a_compiled_step():
    module, ids = GPT(CONFIG), torch.from_numpy(IDS)
    expected = module(ids, ids)[1]
    torch.compiler.reset()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(ids, ids)[1], expected)


@pytest.mark.parametrize("make", [
    lambda params, settings: ModuleTrainer(GPT, CONFIG, params, settings, device="cpu"),
    lambda params, settings: TorchTrainer(
        torchgpt.models.gpt2, CONFIG, params, settings, device="cpu"),
], ids=["module", "by hand"])
@pytest.mark.parametrize("way", ["step", "loss"])
@wrong
def test_a_trainer_looks_before_the_batch_goes_to_a_device(make, way, change, said, monkeypatch):
    trainer = make(init(gpt2, CONFIG), complete({}))
    monkeypatch.setattr(trainer, "tensors", None)
    batch = {"inputs": IDS, "targets": IDS, **change}
    with pytest.raises(InputError, match=said):
        trainer.step(batch, 1e-3) if way == "step" else trainer.loss(batch)


class OnGPU(SimpleNamespace):
    """Ids there: whoever compares them waits."""

    device = SimpleNamespace(type="cuda")

    def __lt__(self, other):
        raise AssertionError("the step waits for the GPU")

    __ge__ = __ne__ = __lt__


def test_ids_on_a_gpu_are_not_looked_at():
    check_below("ids", OnGPU(), 5)
    with pytest.raises(AssertionError):
        OnGPU() < 5  # noqa: B015


@both
def test_layers_refuse_the_ids_that_they_would_take_for_others(which):
    package, own = PACKAGES[which]
    weight, logits = own({"": floats(1, 4, 2)})[""], own({"": floats(2, 2, 3, 4)})[""]
    for bad in -1, 4, -4:
        ids = own({"": np.array([[0, 3], [bad, 1]])})[""]
        with pytest.raises(InputError, match=f"ids: {bad} is outside the vocabulary, 0 to 3"):
            package.layers.embedding(ids, weight)
        targets = own({"": np.array([[0, -100, 2], [3, bad, 1]])})[""]
        with pytest.raises(InputError, match=f"targets: {bad} is neither -100 nor from 0 to 3"):
            package.layers.cross_entropy(logits, targets)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.5])
def test_the_readme_s_loop_looks_at_the_norm(bad, monkeypatch):
    """A gradient that is no number moves no weight; another does."""
    (code,) = re.findall(r"```python\n(import math\n.*?)```", README.read_text("utf-8"), re.S)
    code = code.split("for token in")[0]
    monkeypatch.setattr(npgpt.training, "loss_and_grads", lambda model, params, *batch: (
        1.0, tree_map(lambda weight: np.full_like(weight, bad), params)))
    found = {"batches": [(IDS, IDS)]}
    exec(code, found)
    before = dict(tree_leaves(init(gpt2, found["config"], seed=1)))
    for name, weight in tree_leaves(found["params"]):
        assert np.array_equal(weight, before[name]) == (bad != 0.5), name
