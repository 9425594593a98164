"""The weights before training, the same numbers in both packages."""

import numpy as np

from npgpt.random_stream import normals, uniforms
from npgpt.tree import tree_map_with_path


def init(model, config, seed=1, dtype=np.float32):
    """-> params: the first values of `model.weights(config)`, each
    weight drawn from a stream of its own."""

    def draw(path, weight):
        kind, size = weight.init
        stream = f"init.{path.removesuffix('.weight')}"
        if kind == "normal":
            values = size * normals(weight.shape, seed, 0, stream)
        elif kind == "uniform":
            draws = uniforms(weight.shape, seed, 0, stream)
            values = size * (2 * draws - 1)
        else:
            values = np.full(weight.shape, size)
        return values.astype(dtype)

    return tree_map_with_path(draw, model.weights(config))
