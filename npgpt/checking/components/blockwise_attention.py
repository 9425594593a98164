from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import (
    mask_for,
    no_step_where_all_is_hidden,
    queries_keys_values,
)
from npgpt.checking.components.attention import attention_scale
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import (
    batch_independent,
    blind_to_what_is_hidden,
    linear_in_the_upstream_gradient,
)


def blockwise_attention(draw):
    """Causal in blocks of 1 to 3 queries, or all in one."""
    B, H = draw("B", range(1, 4)), draw("H", range(1, 4))
    T, D = draw("T", range(1, 6)), draw("D", range(1, 6))
    S, size = T + draw("earlier", range(3)), draw("size", [2, 1, 3, 64])
    mask = draw("mask", ["none", "padding", "square", "random"])
    causal = draw("causal", [True, False])
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    mask = mask_for(mask, numbers, B, H, T, S)
    inputs = queries_keys_values(numbers, regime, B, H, T, S, D)
    options = {"mask": mask, "causal": causal,
               "dropout_mask": numbers.dropout_mask(B, H, T, S) if dropout else None}
    if size != 64:
        options["size"] = size
    return PairCase(
        component="blockwise_attention", inputs=inputs, options=options,
        d_y=numbers.normal(B, H, T, D), scale=attention_scale,
        laws=(blind_to_what_is_hidden, batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(mask, causal, T, S))

