from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._models import attention_params, sizes
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def multi_head_attention(draw):
    B, T, H, D = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["square", "none", "padding"])
    causal = draw("causal", [True, False])
    numbers = draw.numbers()
    C = H * D
    masks = {"attention": numbers.dropout_mask(B, H, T, T),
             "attention_out": numbers.dropout_mask(B, T, C)} if dropout else None
    options = {"heads": H, "mask": mask_for(mask, numbers, B, H, T, T), "causal": causal,
               "dropout_masks": masks}
    # scores of about ±50: with larger ones a budget says nothing in few bits
    x = numbers.normal(B, T, C, std=3.0, mean=1.0) if regime == "stress" else (
        numbers.normal(B, T, C))
    return PairCase(
        component="multi_head_attention", inputs={"x": x},
        params=attention_params(numbers, C), nested=True, options=options,
        d_y=numbers.normal(B, T, C),
        laws=(batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], causal, T, T))
