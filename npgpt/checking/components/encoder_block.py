from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._encoder_decoder import block_masks, block_params, sizes
from npgpt.checking.components._models import stream
from npgpt.checking.draw import REGIMES
from npgpt.checking.laws import batch_independent, linear_in_the_upstream_gradient


def encoder_block(draw):
    return encoder_case(draw, "encoder_block", block_params, block_masks)


def encoder_case(draw, component, params_of, masks_of, **layers):
    """A case of a block, or of all of them."""
    B, _, S, H, C = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask = draw("mask", ["none", "padding"])
    numbers = draw.numbers()
    masks = masks_of(numbers, B, 1, S, H, C, "encoder", **layers)
    options = {"heads": H, "mask": mask_for(mask, numbers, B, H, S, S),
               "dropout_masks": masks if dropout else None}
    return PairCase(
        component=component, inputs={"x": stream(numbers, regime, B, S, C)},
        params=params_of(numbers, C, "encoder", **layers), nested=True, options=options,
        d_y=numbers.normal(B, S, C),
        laws=(knows_no_order, batch_independent, linear_in_the_upstream_gradient),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], False, S, S))


def knows_no_order(case, compute):
    """Each position sees all: another order gives the same in that order, so
    nothing is causal and nothing counts positions."""
    if case.options["dropout_masks"] is not None:
        return
    mask = case.options["mask"]
    other = {} if mask is None else {"mask": mask[..., ::-1]}
    before = compute(case)
    after = compute(with_values(
        case, x=case.inputs["x"][:, ::-1], d_y=case.d_y[:, ::-1], **other))
    for name in before:
        yield name, after[name][:, ::-1] if name in ("y", "d_x") else after[name], before[name]
