from npgpt.checking.case import PairCase
from npgpt.checking.components._llama import block_masks, block_params, sizes
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def gated_mlp(draw):
    B, T, config = sizes(draw)
    dropout = draw("dropout", [False, True])
    numbers, C = draw.numbers(), config.channels
    # gates far below 0 are a case of swiglu, whose scale knows their rounding
    x = numbers.normal(B, T, C)
    masks = {"feed_forward_out": block_masks(numbers, config, B, T)["feed_forward_out"]}
    return PairCase(
        component="gated_mlp", inputs={"x": x},
        params=block_params(numbers, config)["feed_forward"], nested=True,
        options={"dropout_masks": masks if dropout else None}, d_y=numbers.normal(B, T, C),
        laws=(batch_independent, same_for_any_order_of_positions, linear_in_the_upstream_gradient))
