from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._llama import block_masks, block_params, heads, rotations, sizes
from npgpt.checking.components._models import stream
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def llama_block(draw):
    B, T, config = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["square", "none", "padding"])
    numbers, C = draw.numbers(), config.channels
    masks = block_masks(numbers, config, B, T)
    options = {**heads(config), **rotations(draw, numbers, config, B, T),
               "mask": mask_for(mask, numbers, B, config.heads, T, T),
               "dropout_masks": masks if dropout else None}
    return PairCase(
        component="llama_block", inputs={"x": stream(numbers, regime, B, T, C)},
        params=block_params(numbers, config), nested=True, options=options,
        d_y=numbers.normal(B, T, C), laws=(batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], True, T, T))
