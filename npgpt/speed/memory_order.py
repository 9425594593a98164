"""The order in which weights lie in memory."""

import numpy as np

from npgpt.tree import tree_map_with_path

PAYS_AFTER = 100  # tokens: reordering takes as long as it saves on those


def by_longer_side(params):
    """-> the same params, each matrix of a product stored along its longer
    side, square ones by columns: a lone token's product reads memory in long
    runs, so faster. At GPT-2's size that takes half a second and 300 MB.

    Tables of which rows are looked up stay as they are. They are known by
    name: "positions.weight", and "tokens.weight" where there is a "head" of
    its own; without one the head is the token embedding, transposed."""
    looked_up = {"positions.weight"} | ({"tokens.weight"} if "head" in params else set())

    def reorder(name, weight):
        if name in looked_up or weight.ndim < 2 or weight.shape[0] < weight.shape[1]:
            return weight
        return np.asfortranarray(weight)

    return tree_map_with_path(reorder, params)
