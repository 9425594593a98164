"""The next batch, made ready while the device computes this one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from npgpt.tree import rebuild


class Ahead:
    """batch(draw, step) -> draw(step), each array handed through `ready`.

    A thread draws step + 1 meanwhile. A batch depends on its step alone, so
    a resumed run, or one that stops, loses nothing but that draw."""

    def __init__(self, ready):
        self.ready = ready
        self.thread = ThreadPoolExecutor(1)
        self.next_step = self.next_batch = None

    def __call__(self, draw, step):
        if self.next_step == step:
            batch = self.next_batch.result()
        else:
            batch = self.make(draw, step)
        self.next_step = step + 1
        self.next_batch = self.thread.submit(self.make, draw, step + 1)
        return batch

    def make(self, draw, step):
        return [rebuild(part, lambda _, leaf: None if leaf is None else self.ready(leaf))
                for part in draw(step)]


def pinned(array):
    """The same array in page-locked memory, from which a GPU copies on its
    own while the processor goes on."""
    return torch.from_numpy(np.ascontiguousarray(array)).pin_memory().numpy()
