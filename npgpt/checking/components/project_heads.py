from npgpt.checking.case import PairCase
from npgpt.checking.components._encoder_decoder import block_params, sizes
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def project_heads(draw):
    B, _, S, H, C = sizes(draw)
    regime = draw("regime", REGIMES)
    numbers = draw.numbers()
    std = 30.0 if regime == "stress" else 1.0
    return PairCase(
        component="project_heads", inputs={"x": numbers.normal(B, S, C, std=std)},
        params=block_params(numbers, C, "decoder")["cross_attention"]["k"], nested=True,
        options={"heads": H}, d_y=numbers.normal(B, H, S, C // H),
        laws=(batch_independent, linear_in_the_upstream_gradient))
