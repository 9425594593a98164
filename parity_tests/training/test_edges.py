"""The optimiser, clipping, the schedule and the model's door at their
edges, written down."""

import numpy as np
import pytest

from npgpt.errors import InputError
from npgpt.families.gpt2 import Config
from npgpt.runs.settings import complete
from npgpt.training import init_gpt, warmup_cosine
from parity_tests.halves import both_halves

CONFIG = Config(vocab_size=5, context_length=4, layers=1, heads=1, channels=4)


@both_halves
def test_adamws_first_step_is_the_rate_whatever_the_gradients_size(half):
    """Both means are corrected: m/√v is the gradient's sign."""
    for size in (1e-3, 1.0, 1e3):
        params = half.array({"bias": np.zeros(3)})
        grads = half.array({"bias": size * np.array([1.0, -1.0, 2.0])})
        half.adamw_step(params, grads, half.adamw_init(params), lr=0.1, eps=0.0)
        assert np.allclose(half.back(params)["bias"], [-0.1, 0.1, -0.1], rtol=1e-12)


@both_halves
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_an_empty_array_has_nothing_to_learn(half, order):
    arrays = {"a": np.ones(3), "b": np.zeros(0)}
    params = half.array({name: arrays[name].copy() for name in order})
    half.adamw_step(params, half.array({name: arrays[name] for name in order}),
                    half.adamw_init(params), 0.1)
    found = half.back(params)
    assert found["b"].shape == (0,) and np.allclose(found["a"], 0.9)


@both_halves
def test_a_length_too_long_for_a_float_scales_nothing(half):
    grads = half.array({"a": np.full(1, 1.2e154), "b": np.full(1, 1.2e154)})
    clipped, norm = half.clip_by_global_norm(grads, 1.0)
    assert norm == np.inf and half.back(clipped)["a"][0] == 1.2e154


@both_halves
def test_decay_is_for_matrices_alone(half):
    params = half.array({"weight": np.ones((2, 2)), "bias": np.ones(2)})
    grads = half.array({"weight": np.zeros((2, 2)), "bias": np.zeros(2)})
    half.adamw_step(params, grads, half.adamw_init(params), lr=0.1, weight_decay=0.5)
    after = half.back(params)
    assert np.allclose(after["weight"], 0.95) and np.array_equal(after["bias"], [1, 1])


@both_halves
@pytest.mark.parametrize(("value", "norm"), [(0.0, 0.0), (np.inf, np.inf), (np.nan, np.nan)])
def test_a_length_of_zero_or_of_no_number_scales_nothing(half, value, norm):
    grads = half.array({"weight": np.array([value, 0.0])})
    clipped, found = half.clip_by_global_norm(grads, 1.0)
    assert np.array_equal(found, norm, equal_nan=True)
    assert np.array_equal(half.back(clipped)["weight"], [value, 0.0], equal_nan=True)


@both_halves
def test_clipping_at_the_limit_and_beyond(half):
    grads = half.array({"a": np.array([3.0]), "b": np.array([4.0])})
    same, norm = half.clip_by_global_norm(grads, 5.0)
    assert norm == 5.0 and half.back(same)["a"] == 3.0
    less, _ = half.clip_by_global_norm(grads, 2.5)
    assert half.back(less)["a"] == 1.5 and half.back(less)["b"] == 2.0


@pytest.mark.parametrize(("step", "rate"), [
    (0, 0.1), (1, 0.2), (8, 0.9), (9, 1.0),         # up: lr when the warm-up ends
    (10, 1.0), (15, 0.55), (20, 0.1), (21, 0.1), (10**6, 0.1)])
def test_every_boundary_of_the_schedule(step, rate):
    assert warmup_cosine(step, 1.0, 10, 20, 0.1) == pytest.approx(rate, rel=1e-12)


def test_a_schedule_without_warm_up_or_decay():
    assert warmup_cosine(0, 1.0, 0, 10) == 1.0
    assert warmup_cosine(0, 1.0, 0, 0, 0.3) == 0.3
    assert warmup_cosine(5, 1.0, 5, 5, 0.3) == 0.3


def test_a_schedule_that_nobody_gave():
    settings = complete({"steps": 400, "learning_rate": 0.5})
    found = settings.warmup_steps, settings.decay_steps, settings.minimum_rate
    assert found == (20, 400, 0.05)


@both_halves
@pytest.mark.parametrize(("ids", "what"), [
    (np.array([[0, 5]]), "5 is outside the vocabulary, 0 to 4"),
    (np.array([[-1, 0]]), "-1 is outside the vocabulary"),
    (np.array([0, 1]), r"expected shape \(batch, tokens\), got \(2,\)"),
    (np.zeros((1, 0), int), "expected shape"),
    (np.zeros((1, 5), int), "5 tokens do not fit the context of 4"),
    *[(np.zeros((1, 2), kind), f"expected int64 numbers, got {kind}")
      for kind in ("float64", "bool", "uint8", "int32")],
])
def test_ids_that_do_not_fit_are_refused(half, ids, what):
    params = half.array(init_gpt(CONFIG))
    with pytest.raises(InputError, match=what):
        half.gpt(params, half.array(ids), CONFIG)
    with pytest.raises(InputError, match=what):
        half.loss_and_grads(params, half.array(ids), half.array(0 * ids), CONFIG)


@both_halves
@pytest.mark.parametrize(("targets", "what"), [
    (np.array([[0, 5]]), "5 is neither -100 nor from 0 to 4"),
    (np.array([[0, -1]]), "-1 is neither -100"),
    (np.array([[0]]), r"expected shape \(1, 2\) like ids, got \(1, 1\)"),
    (np.array([[0.0, 1.0]]), "targets: expected int64 numbers, got float64"),
])
def test_targets_that_do_not_fit_are_refused(half, targets, what):
    params = half.array(init_gpt(CONFIG))
    with pytest.raises(InputError, match=what):
        half.loss_and_grads(params, half.array(np.array([[0, 1]])), half.array(targets), CONFIG)


@both_halves
def test_nothing_to_learn_from_gives_zero(half):
    params = half.array(init_gpt(CONFIG, dtype=np.float64))
    ids = np.array([[0, 1, 2]])
    loss, grads = half.loss_and_grads(
        params, half.array(ids), half.array(np.full_like(ids, -100)), CONFIG)
    assert float(loss) == 0.0
    assert not any(leaf.any() for leaf in (
        half.back(grads)["tokens"]["weight"], half.back(grads)["blocks"][0]["norm_1"]["weight"]))


@both_halves
def test_an_empty_batch_has_no_logits(half):
    logits, _ = half.gpt(half.array(init_gpt(CONFIG)), half.array(np.zeros((0, 3), int)), CONFIG)
    assert tuple(logits.shape) == (0, 3, 5)
