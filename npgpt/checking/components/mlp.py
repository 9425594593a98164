from npgpt.checking.case import PairCase
from npgpt.checking.components._models import mlp_params, stream
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import (
    batch_independent,
    linear_in_the_upstream_gradient,
    same_for_any_order_of_positions,
)


def mlp(draw):
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("C", range(2, 6))
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    masks = {"feed_forward_out": numbers.dropout_mask(B, T, C)} if dropout else None
    return PairCase(
        component="mlp", inputs={"x": stream(numbers, regime, B, T, C)},
        params=mlp_params(numbers, C), nested=True, options={"dropout_masks": masks},
        d_y=numbers.normal(B, T, C),
        laws=(batch_independent, same_for_any_order_of_positions, linear_in_the_upstream_gradient))
