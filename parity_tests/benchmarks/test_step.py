"""npgpt bench step: its contenders, and the floor that it measures."""

import numpy as np
import pytest

from npgpt.benchmarks import step
from npgpt.benchmarks.products import factors
from npgpt.models import gpt2
from npgpt.speed import compiled
from npgpt.speed.flat import flatten
from npgpt.training import init, loss_and_grads


def test_the_bench_times_both_kinds_of_numpy_step(monkeypatch):
    moves, one_move = [], compiled.adamw_step
    monkeypatch.setattr(compiled, "adamw_step",
                        lambda *given, **more: moves.append(given) or one_move(*given, **more))
    contenders = step.make_contenders(1, 2, 8, 4, 2)
    for name in ("npgpt", step.OWN_LOOP, "products", step.COMPILED):
        contenders[name]()
        assert bool(moves) == (name == step.COMPILED)


@pytest.mark.parametrize("tied", [False, True])
def test_the_bench_multiplies_what_a_compiled_step_does(tied):
    config = gpt2.Config(vocab_size=7, context_length=70, layers=2, heads=2, channels=8, tied=tied)
    params = flatten(init(gpt2, config), compiled.by_columns)
    ids = np.zeros((3, 70), int)
    _, grads = compiled.on_loops(loss_and_grads)(
        compiled.on_loops(gpt2), params, ids, ids, config)
    pairs = [(params[name]["weight"], found[name]["weight"])
             for block, found_block in zip(params["blocks"], grads["blocks"])
             for layer in ("attention", "feed_forward")
             for params, found in [(block[layer], found_block[layer])] for name in params]
    pairs.append((gpt2.head(params, config)["weight"], gpt2.head(grads, config)["weight"]))
    multiplied = iter(factors(config, 3, 70))
    for weight, grad in pairs:
        (x, w), (a, b), (d_y, w_transposed) = next(multiplied), next(multiplied), next(multiplied)
        assert w.shape == weight.shape and w.strides == weight.strides
        assert np.shares_memory(w, w_transposed) and (x @ w).shape == d_y.shape
        assert (d_y @ w_transposed).shape == x.shape == (3 * 70, len(w))
        made = a @ b if grad.flags.c_contiguous else (a @ b).T
        assert made.shape == grad.shape and made.strides == grad.strides
    # in each layer, 64 queries see 64 keys and 6 see 70: forth and back, 6 products each
    sizes = sorted(a.size * b.shape[-1] for a, b in multiplied)
    assert sizes == sorted([3 * 2 * 4 * 64 * 64, 3 * 2 * 4 * 6 * 70] * 6 * config.layers)
