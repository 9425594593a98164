"""A recurrent network: its sizes, its weights and its files (Elman,
1990; Mikolov et al., 2010)."""

import math
from dataclasses import dataclass

from npgpt.errors import InputError, quote
from npgpt.families.setting import setting
from npgpt.families.weight import Weight, normal

STD = 0.02
# its state begins anew at position 0: padding needs no mask, and a
# mask, which hides keys from queries, is refused
TAKES_MASK = False


@dataclass(frozen=True)
class Config:
    """Sizes of a plain tanh network. Raises InputError where they make
    no sense.

    context_length: None, for a state is of one size however much was
    read. truncate: a gradient is cut before every so many tokens."""

    vocab_size: int
    context_length: int | None = None
    channels: int = setting(128, "Channels (model width).", least=1)
    truncate: int | None = setting(
        None, "Tokens between cuts of the gradient.", least=1,
        unset="no cuts", hidden=True)

    def __post_init__(self):
        for name in ("vocab_size", "channels", "truncate"):
            value = getattr(self, name)
            if name == "truncate" and value is None:
                continue
            if type(value) is not int or value < 1:
                raise InputError(
                    f"{name} is {quote(value)}: give a whole number,"
                    f" 1 or more")
        if self.context_length is not None:
            raise InputError(
                f"context_length is {quote(self.context_length)}: a"
                f" recurrent network has no limit, give None")


def weights(config):
    """-> nested Weights. Embeddings of order one; products by 1/sqrt of
    their inputs, so that a state neither grows nor dies out at first;
    the head's standard deviation is 0.02, as GPT-2's."""
    V, C = config.vocab_size, config.channels
    product = Weight((C, C), normal(1 / math.sqrt(C)))
    return {
        "tokens": {"weight": Weight((V, C), normal(1.0))},
        "input": {"weight": product},
        "recurrence": {"weight": product},
        "head": {"weight": Weight((C, V), normal(STD))},
    }


def dropout_shapes(config, B, T):
    """-> nested shapes of the dropout masks of one pass. From state to
    state nothing is dropped (Zaremba et al., 2014)."""
    x = (B, T, config.channels)
    return {"embedding": x, "states": x}


def cache_shapes(config, B):
    """-> nested shapes of a cache, axis 0 the batch: one state, however
    much was read."""
    return {"state": (B, config.channels)}


def products(config, B, T):
    """-> [(count, rows, inner, columns), ...], the matrix products of one
    forward pass over B sequences of T tokens."""
    R, C = B * T, config.channels
    return [(1, R, C, C), (T, B, C, C), (1, R, C, config.vocab_size)]


# no other program reads such files: names and fields are ours, and all
# is stored as it is in memory
FILES = {"model_type": "recurrent"}
