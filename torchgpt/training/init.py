"""The weights before training, the same numbers in both packages."""

import torch

from npgpt.random_stream import normals, uniforms
from npgpt.tree import tree_map_with_path


def init(model, config, seed=1, dtype=torch.float32, device="cpu"):
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
            return torch.full(
                weight.shape, size, dtype=dtype, device=device)
        return torch.from_numpy(values).to(dtype=dtype, device=device)

    return tree_map_with_path(draw, model.weights(config))
