"""Shards: a batch cut by sequences, one shard a thread.

NumPy leaves the interpreter's lock while it computes, so threads run side
by side, each with a BLAS of one thread. A shard's size depends on the
batch alone and gradients add up in the shards' order: the bits are the
same for any number of threads."""

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from npgpt.families.checks import check_ids, check_targets
from npgpt.layers.cross_entropy import IGNORE
from npgpt.tree import leaves, rebuild

SHARD_TOKENS = 512
BLAS_THREADS = threading.Lock()


def loss_and_grads(params, ids, targets, config, visible=None, keep=None,
                   count=None, threads=None, out=None, shard=None):
    """ids and targets (B, T), -100 ignored -> loss (), gradients shaped
    like params. count: the divisor, by default the number of valid
    targets. threads: by default one a processor. out: nested arrays that
    take the gradients. shard: the function of each, or npgpt.speed.compiled's."""
    check_ids(ids, config)
    check_targets(targets, ids, config)
    if count is None:
        count = max(int((targets != IGNORE).sum()), 1)

    from npgpt.training.loss_and_grads import loss_and_grads_of_shard

    compute = shard or loss_and_grads_of_shard

    def run(part):
        return compute(
            params, ids[part], targets[part], config,
            cut_visible(visible, part), cut_keep(keep, part), count)

    with one_blas_thread():
        results = thread_pool(threads).map(run, cut_batch(*ids.shape))
        loss, grads = next(results)
        for shard_loss, shard_grads in results:
            loss = loss + shard_loss
            grads = add(grads, shard_grads, into=out or grads)
    if out is not None and grads is not out:  # there was one shard
        grads = fill(out, grads)
    return loss, grads


def cut_batch(B, T):
    """-> slices of about SHARD_TOKENS tokens, at least one sequence each."""
    shards = max(1, min(B, math.ceil(B * T / SHARD_TOKENS)))
    cuts = [B * i // shards for i in range(shards + 1)]
    return [slice(*ends) for ends in pairwise(cuts)]


@contextmanager
def one_blas_thread():
    """Inside, a product runs on its caller's thread alone. The number of
    threads belongs to the whole process: callers take turns."""
    with BLAS_THREADS, blas_libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def blas_libraries():
    """Found once: looking through the loaded libraries takes longer than
    a small layer."""
    return ThreadpoolController()


def thread_pool(threads=None):
    """One for each number of threads, and for each process: a forked child
    has none of its parent's threads."""
    return pool_of(threads or os.cpu_count(), os.getpid())


@cache
def pool_of(threads, process):
    return ThreadPoolExecutor(threads)


def for_each(update, named):
    """update(name, array) for each pair, in as many threads as there are
    processors; each takes neighbours of about the same size together."""
    threads = os.cpu_count()
    total = sum(array.size for _, array in named)
    groups, done = [[] for _ in range(threads)], 0
    for name, array in named:
        groups[min(threads * done // total, threads - 1)].append((name, array))
        done += array.size

    def run(group):
        for name, array in group:
            update(name, array)

    list(thread_pool().map(run, groups))


def cut_visible(visible, part):
    """A mask with a batch axis is cut, any other serves every shard."""
    if visible is None or visible.ndim < 4 or visible.shape[0] == 1:
        return visible
    return visible[part]


def cut_keep(keep, part):
    """Each dropout mask begins with the batch axis."""
    return rebuild(keep, lambda _, mask: None if mask is None else mask[part])


def add(grads, more, into):
    """grads + more, written into nested arrays (grads themselves may be
    those), which are returned."""
    for (_, grad), (_, other), (_, out) in zip(
            leaves(grads), leaves(more), leaves(into)):
        np.add(grad, other, out=out)
    return into


def fill(views, values):
    """Nested arrays take the values of others; they are returned."""
    for (_, view), (_, value) in zip(leaves(views), leaves(values)):
        view[...] = value
    return views
