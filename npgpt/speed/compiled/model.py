"""A model, or a function, with the compiled layers in the place of the plain
ones: the same text, its calls rewired."""

import threading

from npgpt import layers as plain
from npgpt.replacing import rewired
from npgpt.speed.compiled import layers

COPIES, LOCK = {}, threading.Lock()


def on_loops(thing):
    """thing, a model (a module) or a function such as `loss_and_grads` ->
    the same on compiled layers. What it was made from stays as it is; it
    is made once."""
    with LOCK:
        if thing not in COPIES:
            COPIES[thing] = rewired(thing, pairs())
        return COPIES[thing]


def pairs():
    """[(plain function, compiled function), ...]."""
    return [(getattr(plain, name), getattr(layers, name)) for name in layers.__all__]


def by_columns(path, array):
    """Whether a matrix lies column after column: those of the blocks with
    no more columns than rows, whose products are faster so."""
    return path.startswith("blocks.") and array.shape[0] >= array.shape[1]
