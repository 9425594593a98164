import math

import numpy as np

from npgpt.checking.case import FunctionCase
from npgpt.checking.edges import call, is_ours, stops
from npgpt.errors import InputError
from npgpt.tree import tree_leaves


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
        expected=clip_by_definition, views=True,
        edges=(too_long_for_a_float, of_zero_or_of_no_number, at_the_limit_and_beyond,
               a_limit_that_is_none))


def call_clip(find, case):
    grads, norm = find("clip_by_global_norm")(case.options["grads"], case.options["limit"])
    return {"grads": grads, "norm": norm}


def clip_by_definition(case):
    grads = dict(tree_leaves(case.options["grads"]))
    norm = math.sqrt(sum(float(x) ** 2 for grad in grads.values() for x in grad.flat))
    factor = min(1.0, case.options["limit"] / norm) if norm else 1.0
    return {"norm": norm, **{f"grads.{name}": grad * factor for name, grad in grads.items()}}


def clip_scale(case):
    expected = clip_by_definition(case)
    return {name: 2 * np.abs(value) for name, value in expected.items()}


def too_long_for_a_float(package):
    """An infinite norm scales nothing."""
    grads = {"a": np.full(1, 1.2e154), "b": np.full(1, 1.2e154)}
    clipped, norm = call(package, "clip_by_global_norm", grads, 1.0)
    yield "norm", norm, np.inf
    yield "a", clipped["a"], [1.2e154]


def of_zero_or_of_no_number(package):
    """Nor does such a norm."""
    for value in 0.0, np.inf, np.nan:
        grads = {"weight": np.array([value, 0.0])}
        clipped, norm = call(package, "clip_by_global_norm", grads, 1.0)
        yield f"whether the norm is {value}", np.array_equal(norm, value, equal_nan=True), True
        same = np.array_equal(clipped["weight"], [value, 0.0], equal_nan=True)
        yield "whether the gradient is as it was", same, True


def at_the_limit_and_beyond(package):
    grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    same, norm = call(package, "clip_by_global_norm", grads, 5.0)
    yield "norm", norm, 5.0
    yield "a at the limit", same["a"], [3.0]
    less, _ = call(package, "clip_by_global_norm", grads, 2.5)
    yield "a beyond it", less["a"], [1.5]
    yield "b beyond it", less["b"], [2.0]


def a_limit_that_is_none(package):
    """A negative one would turn the gradient round."""
    if is_ours(package):
        for limit in -2.0, 0.0, np.nan, -np.inf:
            refused = stops(InputError, call, package, "clip_by_global_norm",
                            {"a": np.array([3.0, -4.0])}, limit)
            yield f"whether {limit} is refused", refused, True
