from npgpt.checking.case import PairCase
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._models import block_masks, block_params, sizes, stream
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def block(draw):
    B, T, H, D = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["square", "none", "padding"])
    numbers = draw.numbers()
    C = H * D
    masks = block_masks(numbers, B, T, H, C) if dropout else None
    options = {"heads": H, "mask": mask_for(mask, numbers, B, H, T, T), "dropout_masks": masks}
    return PairCase(
        component="block", inputs={"x": stream(numbers, regime, B, T, C)},
        params=block_params(numbers, C), nested=True, options=options,
        d_y=numbers.normal(B, T, C), laws=(batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], True, T, T))
