import math

import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.tree import leaves


def clip_by_global_norm(draw):
    I, O = draw("I", range(1, 5)), draw("O", range(1, 5))
    limit, size = draw("limit", [1.0, 0.1, 1e6]), draw("size", [1.0, 1e-3, 0.0])
    numbers = draw.numbers()
    grads = {"linear": {"weight": numbers.normal(I, O, std=size),
                        "bias": numbers.normal(O, std=size)},
             "blocks": [{"weight": numbers.normal(I, std=10 * size)}]}
    return FunctionCase(
        component="clip_by_global_norm",
        options={"grads": grads, "limit": limit}, scale=clip_scale, call=call_clip,
        expected=clip_by_definition, views=True)


def call_clip(find, case):
    grads, norm = find("clip_by_global_norm")(case.options["grads"], case.options["limit"])
    return {"grads": grads, "norm": norm}


def clip_by_definition(case):
    grads = dict(leaves(case.options["grads"]))
    norm = math.sqrt(sum(float(x) ** 2 for grad in grads.values() for x in grad.flat))
    factor = min(1.0, case.options["limit"] / norm) if norm else 1.0
    return {"norm": norm, **{f"grads.{name}": grad * factor for name, grad in grads.items()}}


def clip_scale(case):
    expected = clip_by_definition(case)
    return {name: 2 * np.abs(value) for name, value in expected.items()}
