"""The next batch, made ready while the device computes this one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from npgpt.tree import tree_map


class Prefetcher:
    """batch(step) -> a batch, each array handed through `ready`.

    A thread draws step + 1 meanwhile. A batch depends on its step alone, so
    a resumed run, or one that stops, loses nothing but that draw."""

    def __init__(self, batch, ready):
        self.batch, self.ready = batch, ready
        self.thread = ThreadPoolExecutor(1)
        self.next_step = self.next_batch = None

    def __call__(self, step):
        batch = self.next_batch.result() if self.next_step == step else self.make(step)
        self.next_step = step + 1
        self.next_batch = self.thread.submit(self.make, step + 1)
        return batch

    def make(self, step):
        return tree_map(self.ready, self.batch(step))


def pinned(array):
    """The same array in page-locked memory, from which a GPU copies on its
    own while the processor goes on."""
    return torch.from_numpy(np.ascontiguousarray(array)).pin_memory().numpy()
