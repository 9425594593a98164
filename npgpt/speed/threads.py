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

from npgpt.layers.cross_entropy import IGNORE
from npgpt.tree import tree_leaves, tree_map

SHARD_TOKENS = 512
BLAS_THREADS = threading.Lock()


def sharded(loss_and_grads, model, params, config, batch, count=None, threads=None, out=None,
            tokens=SHARD_TOKENS):
    """loss_and_grads(model, params, config=config, **batch), shard by shard.

    batch: a dict of its arguments, axis 0 of every array the sequences.
    count: the divisor, by default the number of targets that are not -100.
    threads: by default one a processor. out: nested arrays that take the
    gradients. tokens: of a shard."""
    count = count or counted(batch["targets"])

    def run(part):
        return loss_and_grads(model, params, config=config, count=count, **part)

    with one_blas_thread():
        results = thread_pool(threads).map(run, shards(batch, tokens))
        loss, grads = next(results)
        for more, more_grads in results:
            loss = loss + more
            grads = add(grads, more_grads, into=out or grads)
    if out is not None and grads is not out:  # there was one shard
        grads = fill(out, grads)
    return loss, grads


def sharded_loss(mean_loss, model, params, config, batch):
    """The same without gradients -> loss, a float."""
    count = counted(batch["targets"])

    def run(part):
        return float(mean_loss(model, params, config=config, count=count, **part))

    with one_blas_thread():
        return sum(thread_pool().map(run, shards(batch)))


def counted(targets):
    """How many targets are not ignored, at least 1."""
    return max(int((targets != IGNORE).sum()), 1)


def counted_batch(batch):
    """-> the batch's arrays, and what the losses of its parts are divided by: its "count",
    or how many targets are not ignored."""
    arrays = {name: value for name, value in batch.items() if name != "count"}
    return arrays, batch.get("count") or counted(batch["targets"])


def shards(batch, tokens=SHARD_TOKENS):
    """-> batches of about so many tokens, at least one sequence (or group of them) each."""
    targets = batch["targets"]
    return [tree_map(lambda array: array[part], batch)  # noqa: B023
            for part in cut_batch(len(targets), targets[0].size, tokens)]


def cut_batch(B, T, tokens=SHARD_TOKENS):
    """-> the slices of those sequences."""
    shards = max(1, min(B, math.ceil(B * T / tokens)))
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


def on_threads(update):
    """An optimiser's step, update(params, grads, state, ...) -> the same on
    as many threads as there are processors: each takes neighbouring arrays
    of about the same size together."""

    def step(params, grads, state, **settings):
        params, grads, m, v = (
            dict(tree_leaves(tree)) for tree in (params, grads, state["m"], state["v"]))

        def run(names):
            part, part_grads, part_m, part_v = (
                {name: arrays[name] for name in names} for arrays in (params, grads, m, v))
            update(part, part_grads, {"step": state["step"], "m": part_m, "v": part_v}, **settings)

        list(thread_pool().map(run, equal_groups(params, os.cpu_count())))
        state["step"] += 1

    return step


def equal_groups(arrays, count):
    """{name: array} -> `count` lists of names, of about as many numbers each."""
    total = sum(array.size for array in arrays.values())
    groups, done = [[] for _ in range(count)], 0
    for name, array in arrays.items():
        groups[min(count * done // max(total, 1), count - 1)].append(name)
        done += array.size
    return groups


def add(grads, more, into):
    """grads + more, written into nested arrays (grads themselves may be
    those), which are returned."""
    tree_map(lambda grad, other, out: np.add(grad, other, out=out), grads, more, into)
    return into


def fill(views, values):
    """Nested arrays take the values of others; they are returned."""
    tree_map(np.copyto, views, values)
    return views
