import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._llama import block_masks, block_params, heads, rotations, sizes
from npgpt.checking.components._rope import cos_and_sin
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def grouped_query_attention(draw):
    B, T, config = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["square", "none", "padding"])
    causal = draw("causal", [True, False])
    numbers, C = draw.numbers(), config.channels
    masks = block_masks(numbers, config, B, T)
    options = {**heads(config), **rotations(draw, numbers, config, B, T),
               "mask": mask_for(mask, numbers, B, config.heads, T, T), "causal": causal,
               "dropout_masks": masks if dropout else None}
    # scores of about ±50: with larger ones a budget says nothing in few bits
    x = numbers.normal(B, T, C, std=3.0, mean=1.0) if regime == "stress" else (
        numbers.normal(B, T, C))
    return PairCase(
        component="grouped_query_attention", inputs={"x": x},
        params=block_params(numbers, config)["attention"], nested=True, options=options,
        d_y=numbers.normal(B, T, C),
        laws=(only_distances_count, batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], causal, T, T))


def only_distances_count(case, compute):
    """All positions moved along by 2 change nothing."""
    T, D = case.options["cos"].shape[2], 2 * case.options["cos"].shape[3]
    counted = with_values(case, **cos_and_sin(np.arange(T)[None], D))
    moved = with_values(case, **cos_and_sin(np.arange(T)[None] + 2, D))
    before, after = compute(counted), compute(moved)
    for name in before:
        yield name, after[name], before[name], moved
