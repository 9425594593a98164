import math
from types import SimpleNamespace

import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import left
from npgpt.families import gpt2
from npgpt.families.gpt2 import Config
from npgpt.families.weight import Weight, uniform
from npgpt.random_stream import normals, uniforms
from npgpt.tree import tree_leaves


def init(draw):
    H, D = draw("H", range(1, 4)), draw("D", range(1, 4))
    V, N, layers = draw("V", range(1, 9)), draw("N", range(1, 6)), draw("layers", [1, 2, 3])
    tied, own_seed = draw("tied", [True, False]), draw("own_seed", [False, True])
    numbers = draw.numbers()
    options = {"config": Config(V, N, layers, H, H * D, tied), "like": numbers.normal(2)}
    if own_seed:
        options["seed"] = 7
    return FunctionCase(
        component="init", options=options,
        scale=lambda case: dict.fromkeys(init_by_definition(case), 0.02), call=call_init,
        expected=init_by_definition, edges=(a_uniform_weight,))


def call_init(find, case):
    """In the number format of `like`."""
    seed = {"seed": case.options["seed"]} if "seed" in case.options else {}
    params = find("init")(
        find("models.gpt2"), case.options["config"], dtype=case.options["like"].dtype, **seed)
    return {"params": params}


def init_by_definition(case):
    """0.02 times the stream's normals, divided by √(2 · layers) where a
    block writes to the stream; norm scales 1, biases 0. In float32 where
    the draw is rounded the budget covers it."""
    config, results = case.options["config"], {}
    for name, weight in tree_leaves(gpt2.weights(config)):
        shape = weight.shape
        if name.endswith("bias"):
            results[f"params.{name}"] = np.zeros(shape)
        elif "norm" in name:
            results[f"params.{name}"] = np.ones(shape)
        else:
            std = 0.02
            if name.endswith(("out.weight", "down.weight")):
                std /= math.sqrt(2 * config.layers)
            key = "init." + name.removesuffix(".weight")
            results[f"params.{name}"] = std * normals(shape, case.options.get("seed", 1), 0, key)
    return results


def a_uniform_weight(package):
    """It lies between its bounds, for a model that has one."""
    model = SimpleNamespace(weights=lambda config: {"a": {"weight": Weight((3, 4), uniform(0.5))}})
    params = left(package, package.find("init")(model, None, seed=3))
    wanted = 0.5 * (2 * uniforms((3, 4), 3, 0, "init.a") - 1)
    yield "a.weight", params["a"]["weight"], wanted.astype(np.float32)
