import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._encoder_decoder import (
    block_masks,
    block_params,
    each_pair_on_its_own,
    more_padding_changes_nothing,
    same_for_any_order_of_memory,
    sizes,
)
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient
from npgpt.tree import tree_leaves


def cross_attention(draw):
    B, T, S, H, C = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["padding", "none", "random"])
    numbers = draw.numbers()
    masks = block_masks(numbers, B, T, S, H, C, "decoder") if dropout else None
    options = {"heads": H, "mask": mask_for(mask, numbers, B, H, T, S), "dropout_masks": masks}
    # scores of about ±50: with larger ones a budget says nothing in few bits
    std, mean = (3.0, 1.0) if regime == "stress" else (1.0, 0.0)
    inputs = {"x": numbers.normal(B, T, C, std=std, mean=mean),
              "memory": numbers.normal(B, S, C, std=std, mean=mean)}
    return PairCase(
        component="cross_attention", inputs=inputs,
        params=block_params(numbers, C, "decoder")["cross_attention"], nested=True,
        options=options, d_y=numbers.normal(B, T, C),
        laws=(same_for_any_order_of_memory("mask"), more_padding_changes_nothing("mask"),
              each_pair_on_its_own, linear_in_the_upstream_gradient),
        edges=(a_source_that_is_all_padding, one_position_of_memory, computed_before),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], False, T, S))


def some(T, S):
    numbers = Numbers(1)
    return (numbers.normal(2, T, 4), numbers.normal(2, S, 4),
            block_params(numbers, 4, "decoder")["cross_attention"])


def a_source_that_is_all_padding(package):
    """Its rows are the output's bias, its gradients finite, and 0 for the memory."""
    x, memory, params = some(3, 2)
    mask = np.array([False, True])[:, None, None, None] & np.ones((2, 1, 1, 2), bool)
    y, saved = run(package, "cross_attention", x, memory, params, 2, mask)
    d_x, d_memory, grads = back(package, "cross_attention", x, saved)
    yield "y of that row", y[0], np.broadcast_to(params["out"]["bias"], y[0].shape)
    yield "d_x of that row", d_x[0], np.zeros_like(x[0])
    yield "d_memory of that row", d_memory[0], np.zeros_like(memory[0])
    yield "whether all is finite", all(
        np.isfinite(each).all() for each in (y, d_x, d_memory, *dict(
            tree_leaves(grads)).values())), True


def one_position_of_memory(package):
    """Every query gets its value, whatever is asked."""
    x, memory, params = some(3, 1)
    y, _ = run(package, "cross_attention", x, memory, params, 2)
    value = memory @ params["v"]["weight"] + params["v"]["bias"]
    wanted = value @ params["out"]["weight"] + params["out"]["bias"]
    yield "y", y, np.broadcast_to(wanted, y.shape), 1e-14


def computed_before(package):
    """With the memory's keys and values at hand the memory is not read."""
    x, memory, params = some(3, 2)
    past = {"keys": run(package, "project_heads", memory, params["k"], 2)[0],
            "values": run(package, "project_heads", memory, params["v"], 2)[0]}
    y, _ = run(package, "cross_attention", x, memory, params, 2)
    found, _ = run(package, "cross_attention", x, None, params, 2, past=past)
    yield "y", found, y
