from dataclasses import replace

import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import (
    mask_for,
    no_step_where_all_is_hidden,
    queries_keys_values,
)
from npgpt.checking.components.attention import attention_scale
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import (
    batch_independent,
    blind_to_what_is_hidden,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_keys,
)


def flash_attention(draw):
    """Tiles of 1 to 3 keys, the last one ragged, or all keys in one."""
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, S, D = draw("T", range(1, 6)), draw("S", range(1, 8)), draw("D", range(1, 6))
    size = draw("size", [2, 1, 3, 128])
    mask = draw("mask", ["none", "square", "padding", "random"])
    causal = draw("causal", [False, True])
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    mask = mask_for(mask, numbers, B, H, T, S)
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    options = {"mask": mask, "causal": causal,
               "dropout_mask": numbers.dropout_mask(B, H, T, S) if dropout else None}
    if size != 128:
        options["size"] = size
    return PairCase(
        component="flash_attention", inputs=inputs, options=options,
        d_y=numbers.normal(B, H, T, D), scale=attention_scale,
        laws=(any_tile_gives_plain_attention, keys_may_be_shifted, same_for_any_order_of_keys,
              blind_to_what_is_hidden, batch_independent, linear_in_the_upstream_gradient),
        edges=(a_query_that_sees_nothing, queries_before_all_keys, a_hidden_nan),
        no_complex_step=no_step_where_all_is_hidden(mask, causal, T, S))


def any_tile_gives_plain_attention(case, compute):
    options = {name: value for name, value in case.options.items() if name != "size"}
    plain = compute(replace(case, component="attention", options=options))
    for size in (1, 4):
        tiled = compute(replace(case, options={**options, "size": size}))
        for name in plain:
            yield name, tiled[name], plain[name]


def keys_may_be_shifted(case, compute):
    """One vector added to all keys adds the same number to a query's scores:
    the gradients of its scores, and so those of the keys, add up to 0."""
    d_k = compute(case)["d_k"]
    yield "d_k", d_k.mean(axis=2), np.zeros_like(d_k[:, :, 0])


def some(T, S, D=3):
    return list(queries_keys_values(Numbers(1), "benign", 2, 2, T, S, D).values())


def a_query_that_sees_nothing(package):
    """It gets zeros, and its gradient is zero, in tiles that others see."""
    q, k, v = some(3, 5)
    mask = np.ones((3, 5), bool)
    mask[1] = False
    y, saved = run(package, "flash_attention", q, k, v, mask, size=2)
    grads = back(package, "flash_attention", q, saved)
    yield "y of that query", y[:, :, 1], np.zeros_like(q[:, :, 1])
    yield "d_q of that query", grads[0][:, :, 1], np.zeros_like(q[:, :, 1])
    yield "whether all is finite", all(np.isfinite(each).all() for each in (y, *grads)), True


def queries_before_all_keys(package):
    """Of 5 causal queries and 2 keys the first three see nothing."""
    q, k, v = some(5, 2)
    y, saved = run(package, "flash_attention", q, k, v, causal=True, size=1)
    d_q, _, _ = back(package, "flash_attention", q, saved)
    yield "y", y[:, :, :3], np.zeros_like(y[:, :, :3])
    yield "y of the fourth", y[:, :, 3], v[:, :, 0]
    yield "d_q", d_q[:, :, :3], np.zeros_like(d_q[:, :, :3])


def a_hidden_nan(package):
    """A key's is never read, whichever tile it is in."""
    q, k, v = some(2, 3)
    mask = np.array([[True, True, False]] * 2)
    before, _ = run(package, "flash_attention", q, k, v, mask, size=2)
    k[0, 1, 2] = np.nan
    y, saved = run(package, "flash_attention", q, k, v, mask, size=2)
    yield "y", y, before
    d_v = back(package, "flash_attention", q, saved)[2]
    yield "whether d_v is finite", np.isfinite(d_v).all(), True
