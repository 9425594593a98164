"""The same bits twice, and for any number of threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
import torch

from npgpt.families.gpt2 import Config
from npgpt.random_stream import normals, raw_draws, uniforms
from npgpt.speed.threads import BLAS_THREADS
from npgpt.training import init_gpt, loss_and_grads
from npgpt.training.dropout_masks import draw_keep
from npgpt.training.loss_and_grads import loss_and_grads_of_shard
from npgpt.tree import leaves, rebuild
from torchgpt import to_torch
from torchgpt.training import loss_and_grads as torch_loss_and_grads

CONFIG = Config(vocab_size=31, context_length=64, layers=2, heads=2, channels=16)


def batch():
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, 31, (2, 40, 64))
    return ids, np.where(rng.random(targets.shape) < 0.1, -100, targets)


def test_a_seed_means_the_same_numbers_for_ever():
    raw = raw_draws(9, 1, 2, "batch").tolist()
    assert raw[:2] == [7021092518817567902, 6088751496026199381]
    # to the last bit: the top 53 of 64
    assert uniforms((9,), 1, 2, "batch").tolist() == [(word >> 11) / 2**53 for word in raw]
    drawn = normals((3,), 1, 2, "tokens.weight")
    assert drawn == pytest.approx([1.7848486970551851, 0.9966628229671426, -1.018104728262564])


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_bits_do_not_depend_on_threads(rate):
    params, (ids, targets) = init_gpt(CONFIG), batch()
    keep = draw_keep(CONFIG, 40, 64, rate, seed=1, step=0)
    one = loss_and_grads(params, ids, targets, CONFIG, keep=keep, threads=1)
    for threads in (2, 4, 2):
        again = loss_and_grads(params, ids, targets, CONFIG, keep=keep, threads=threads)
        assert again[0].tobytes() == one[0].tobytes()
        for (name, a), (_, b) in zip(leaves(again[1]), leaves(one[1])):
            assert a.tobytes() == b.tobytes(), (threads, name)


@pytest.mark.parametrize("each_its_own", [True, False])
def test_shards_add_up_to_the_whole_batch(each_its_own):
    """Five shards, each with its own masks, against one pass in float64."""
    params, (ids, targets) = init_gpt(CONFIG, dtype=np.float64), batch()
    keep = draw_keep(CONFIG, 40, 64, 0.3, 1, 1, np.float64)
    sequences = 40 if each_its_own else 1
    hidden = np.random.default_rng(1).random((sequences, 1, 64, 64)) < 0.2
    visible = np.tri(64, dtype=bool) & ~hidden
    count = int((targets != -100).sum())
    loss, grads = loss_and_grads(params, ids, targets, CONFIG, visible, keep)
    expected, whole = loss_and_grads_of_shard(
        params, ids, targets, CONFIG, visible, keep, count)
    assert abs(loss - expected) <= 1e-13
    for (name, a), (_, b) in zip(leaves(grads), leaves(whole)):
        # a key's bias moves no score: its gradient is 0 but for rounding
        scale = max(np.abs(b).max(), 1e-4)
        assert np.abs(a - b).max() <= 1e-12 * scale, name


@pytest.mark.parametrize("sequences", [3, 40])      # one shard, and five
def test_gradients_go_where_they_are_asked_to(sequences):
    params, (ids, targets) = init_gpt(CONFIG), batch()
    ids, targets = ids[:sequences], targets[:sequences]
    loss, grads = loss_and_grads(params, ids, targets, CONFIG)
    out = rebuild(params, lambda name, weight: np.full_like(weight, np.nan))
    again, same = loss_and_grads(params, ids, targets, CONFIG, out=out)
    assert again.tobytes() == loss.tobytes()
    for (name, a), (_, b), (_, c) in zip(leaves(grads), leaves(same), leaves(out)):
        assert a.tobytes() == b.tobytes(), name
        assert np.shares_memory(b, c), name


def test_torch_repeats_its_bits():
    params, (ids, targets) = to_torch(init_gpt(CONFIG)), batch()
    ids, targets = torch.from_numpy(ids), torch.from_numpy(targets)
    one, two = (torch_loss_and_grads(params, ids, targets, CONFIG) for _ in range(2))
    assert torch.equal(one[0], two[0])
    for (name, a), (_, b) in zip(leaves(one[1]), leaves(two[1])):
        assert torch.equal(a, b), name


def test_callers_side_by_side_take_turns():
    """Each sets the BLAS's threads to 1 and back to what it found: between
    another's two settings it would find 1, and leave that for good."""
    params, (ids, targets) = init_gpt(CONFIG), batch()
    with ThreadPoolExecutor(1) as pool:
        with BLAS_THREADS:
            other = pool.submit(loss_and_grads, params, ids, targets, CONFIG)
            assert not wait([other], timeout=0.3).done
        assert np.isfinite(other.result()[0])


FORKED = """
import os
import numpy as np
from npgpt.families.gpt2 import Config
from npgpt.training import init_gpt
from npgpt.training import loss_and_grads
config = Config(vocab_size=5, context_length=8, layers=1, heads=1, channels=4)
ids = np.zeros((200, 8), int)
loss_and_grads(init_gpt(config), ids, ids, config)
child = os.fork()
loss_and_grads(init_gpt(config), ids, ids, config)
if child:
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_computes():
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=60).returncode == 0
