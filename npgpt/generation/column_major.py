"""The order in which weights lie in memory."""

import numpy as np

from npgpt.tree import rebuild


def column_major(params):
    """-> the same params, the blocks' matrices stored column by column:
    the product of a single token then streams them from memory faster.
    At GPT-2's size it takes a second, and pays after some 400 tokens."""
    def turn(name, weight):
        inside = name.startswith("blocks.")
        return np.asfortranarray(weight) if inside else weight

    return rebuild(params, turn)
