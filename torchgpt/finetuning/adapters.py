"""Adapters for training: their first values, and what a Trainer takes."""

from functools import partial
from types import SimpleNamespace

import torch

from npgpt.finetuning.freeze import freeze
from npgpt.finetuning.targets import adapter_weights
from npgpt.training.adapters import Adapters
from torchgpt.finetuning.lora import lora_weights, lora_weights_backward
from torchgpt.training.init import init


def init_adapters(model, config, targets, rank, seed=1,
                  dtype=torch.float32, device="cpu"):
    """-> {"blocks.0.attention.q": {"A": (I, r), "B": (r, O)}, ...} for
    the layers that targets, such as ["q", "v"], name.

    A lies between -1/sqrt(I) and 1/sqrt(I), and B is 0. Raises
    InputError for unknown targets and a rank larger than a matrix."""
    chosen = SimpleNamespace(weights=lambda config: adapter_weights(
        model.weights(config), targets, rank))
    return init(chosen, config, seed, dtype, device)


def lora_adapters(params, adapters, alpha):
    """A Trainer's `adapters`: all weights of the model frozen, and to
    those of the named layers `lora` adds what trains."""
    base = freeze(params, lambda path: path in adapters)
    return Adapters(base, adapters, partial(lora_weights, alpha=alpha),
                    lora_weights_backward, alpha)
