"""Adapters: what trains in the place of a model's own weights."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Adapters(NamedTuple):
    """params: the model's own weights, frozen where nothing trains; trained: nested arrays.

    forward(params, trained) gives the weights that the model runs on, and saved;
    backward(their gradients, saved) gives gradients shaped like trained. alpha: LoRA's,
    for who adds the adapters in another way; None where parts of params are trained."""

    params: dict
    trained: Any
    forward: Callable
    backward: Callable
    alpha: float | None = None
