from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import no_step_where_all_is_hidden, visible_for
from npgpt.checking.components._models import attention_params, sizes
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def multi_head(draw):
    B, T, H, D = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["causal", "none", "padding"])
    numbers = draw.numbers()
    C = H * D
    keep = {"attention": numbers.keep(B, H, T, T),
            "attention_out": numbers.keep(B, T, C)} if dropout else None
    options = {"heads": H, "visible": visible_for(mask, numbers, B, H, T, T), "keep": keep}
    # scores of about ±50: with larger ones a budget says nothing in few bits
    x = numbers.normal(B, T, C, std=3.0, mean=1.0) if regime == "stress" else (
        numbers.normal(B, T, C))
    return PairCase(
        component="multi_head", inputs={"x": x}, params=attention_params(numbers, C), nested=True,
        options=options, d_y=numbers.normal(B, T, C),
        laws=(batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["visible"]))
