"""The same bits twice, and for any number of threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
import torch

import torchgpt.models
from npgpt.models import gpt2, llama
from npgpt.random_stream import normals, raw_draws, uniform_stream, uniforms
from npgpt.speed.threads import BLAS_THREADS, sharded
from npgpt.training import init, loss_and_grads
from npgpt.training.dropout_masks import draw_dropout_masks
from npgpt.tree import tree_map
from parity_tests.trees import side_by_side
from torchgpt import to_torch
from torchgpt.training import loss_and_grads as torch_loss_and_grads

CONFIG = gpt2.Config(vocab_size=31, context_length=64, layers=2, heads=2, channels=16)


def batch():
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 31, (2, 40, 64))
    return {"inputs": ids, "targets": np.where(rng.random(targets.shape) < 0.1, -100, targets)}


LLAMA = llama.Config(vocab_size=31, context_length=64, layers=1, heads=2, kv_heads=1, channels=16)


def in_shards(params, batch, model=gpt2, config=CONFIG, **options):
    return sharded(loss_and_grads, model, params, config, batch, **options)


def test_a_seed_means_the_same_numbers_for_ever():
    raw = raw_draws(9, 1, 2, "batch").tolist()
    assert raw[:2] == [7021092518817567902, 6088751496026199381]
    # to the last bit: the top 53 of 64
    assert uniforms((9,), 1, 2, "batch").tolist() == [(word >> 11) / 2**53 for word in raw]
    drawn = normals((3,), 1, 2, "tokens.weight")
    assert drawn == pytest.approx([1.7848486970551851, 0.9966628229671426, -1.018104728262564])


def test_a_stream_gives_one_by_one_what_a_draw_gives_at_once():
    stream = uniform_stream(5, 2, "sample")
    assert [next(stream) for _ in range(200)] == uniforms((200,), 5, 2, "sample").tolist()


@pytest.mark.parametrize(("model", "config", "rate"), [
    (gpt2, CONFIG, 0.0), (gpt2, CONFIG, 0.1), (llama, LLAMA, 0.1)])
def test_bits_do_not_depend_on_threads(model, config, rate):
    params, whole = init(model, config), batch()
    if rate:
        whole["dropout_masks"] = draw_dropout_masks(model, config, 40, 64, rate, seed=1, step=0)
    one = in_shards(params, whole, model, config, threads=1)
    for threads in (2, 4, 2):
        again = in_shards(params, whole, model, config, threads=threads)
        assert again[0].tobytes() == one[0].tobytes()
        for name, a, b in side_by_side(again[1], one[1]):
            assert a.tobytes() == b.tobytes(), (threads, name)


@pytest.mark.parametrize("each_its_own", [True, False])
def test_shards_add_up_to_the_whole_batch(each_its_own):
    """Five shards, each with its own masks, against one pass in float64."""
    params, whole = init(gpt2, CONFIG, dtype=np.float64), batch()
    hidden = np.random.default_rng(1).random((40, 1, 64, 64)) < 0.2
    hidden = hidden if each_its_own else np.repeat(hidden[:1], 40, axis=0)
    whole["mask"] = np.tri(64, dtype=bool) & ~hidden
    whole["dropout_masks"] = draw_dropout_masks(gpt2, CONFIG, 40, 64, 0.3, 1, 1, np.float64)
    loss, grads = in_shards(params, whole)
    expected, grads_of_whole = loss_and_grads(gpt2, params, config=CONFIG, **whole)
    assert abs(loss - expected) <= 1e-13
    for name, a, b in side_by_side(grads, grads_of_whole):
        # a key's bias moves no score: its gradient is 0 but for rounding
        scale = max(np.abs(b).max(), 1e-4)
        assert np.abs(a - b).max() <= 1e-12 * scale, name


@pytest.mark.parametrize("sequences", [3, 40])      # one shard, and five
def test_gradients_go_where_they_are_asked_to(sequences):
    params = init(gpt2, CONFIG)
    some = {name: array[:sequences] for name, array in batch().items()}
    loss, grads = in_shards(params, some)
    out = tree_map(lambda weight: np.full_like(weight, np.nan), params)
    again, same = in_shards(params, some, out=out)
    assert again.tobytes() == loss.tobytes()
    for name, a, b, c in side_by_side(grads, same, out):
        assert a.tobytes() == b.tobytes(), name
        assert np.shares_memory(b, c), name


def test_torch_repeats_its_bits():
    params, whole = to_torch(init(gpt2, CONFIG)), to_torch(batch())
    one, two = (torch_loss_and_grads(torchgpt.models.gpt2, params, config=CONFIG, **whole)
                for _ in range(2))
    assert torch.equal(one[0], two[0])
    for name, a, b in side_by_side(one[1], two[1]):
        assert torch.equal(a, b), name


def test_callers_side_by_side_take_turns():
    """Each sets the BLAS's threads to 1 and back to what it found: between
    another's two settings it would find 1, and leave that for good."""
    params, whole = init(gpt2, CONFIG), batch()
    with ThreadPoolExecutor(1) as pool:
        with BLAS_THREADS:
            other = pool.submit(in_shards, params, whole)
            assert not wait([other], timeout=0.3).done
        assert np.isfinite(other.result()[0])


FORKED = """
import os
import numpy as np
from npgpt.models import gpt2, llama
from npgpt.speed.threads import sharded
from npgpt.training import init, loss_and_grads
config = gpt2.Config(vocab_size=5, context_length=8, layers=1, heads=1, channels=4)
ids = np.zeros((200, 8), int)
def compute():
    sharded(loss_and_grads, gpt2, init(gpt2, config), config, {"inputs": ids, "targets": ids})
compute()
child = os.fork()
compute()
if child:
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_computes():
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=60).returncode == 0
