import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._encoder_decoder import (
    block_masks,
    block_params,
    each_pair_on_its_own,
    more_padding_changes_nothing,
    same_for_any_order_of_memory,
    sizes,
)
from npgpt.checking.components._models import stream
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import entered, run
from npgpt.checking.laws import linear_in_the_upstream_gradient


def decoder_block(draw):
    return decoder_case(draw, "decoder_block", block_params, block_masks,
                        (all_of_memory_has_a_say, read_in_two_pieces))


def decoder_case(draw, component, params_of, masks_of, edges=(), **layers):
    """A case of a block, or of all of them."""
    B, T, S, H, C = sizes(draw)
    dropout, regime = draw("dropout", [False, True]), draw("regime", REGIMES)
    mask, padding = draw("mask", ["none", "padding"]), draw("padding", ["padding", "none"])
    numbers = draw.numbers()
    masks = masks_of(numbers, B, T, S, H, C, "decoder", **layers) if dropout else None
    options = {"heads": H, "mask": mask_for(mask, numbers, B, H, T, T),
               "memory_mask": mask_for(padding, numbers, B, H, T, S), "dropout_masks": masks}
    inputs = {"x": stream(numbers, regime, B, T, C), "memory": numbers.normal(B, S, C)}
    return PairCase(
        component=component, inputs=inputs,
        params=params_of(numbers, C, "decoder", **layers), nested=True, options=options,
        d_y=numbers.normal(B, T, C),
        laws=(what_comes_later_has_no_say, same_for_any_order_of_memory("memory_mask"),
              more_padding_changes_nothing("memory_mask"), each_pair_on_its_own,
              linear_in_the_upstream_gradient),
        edges=edges,
        no_complex_step=(no_step_where_all_is_hidden(options["mask"], True, T, T)
                         or no_step_where_all_is_hidden(options["memory_mask"], False, T, S)))


def what_comes_later_has_no_say(case, compute):
    """The last token changes nothing before it."""
    x = case.inputs["x"]
    if x.shape[1] < 2:
        return
    changed = x.copy()
    changed[:, -1] = np.abs(x).max() - x[:, -1]
    before, after = compute(case), compute(with_values(case, x=changed))
    yield "y", after["y"][:, :-1], before["y"][:, :-1]


def some():
    """-> x, memory, params of two heads."""
    numbers = Numbers(1)
    return (numbers.normal(2, 3, 4), numbers.normal(2, 5, 4),
            block_params(numbers, 4, "decoder"))


def all_of_memory_has_a_say(package):
    """The first token sees the memory's last position; cross-attention is not causal."""
    x, memory, params = some()
    before, _ = run(package, "decoder_block", x, memory, params, 2)
    memory[:, -1] += 1.0
    after, _ = run(package, "decoder_block", x, memory, params, 2)
    yield "whether every token notices", (np.abs(after - before).max(axis=-1) > 1e-3).all(), True


def read_in_two_pieces(package):
    """With a cache, and the memory's keys and values in it, the second piece gives what
    the whole gives there."""
    x, memory, params = some()
    whole, _ = run(package, "decoder_block", x, memory, params, 2)
    cross, storage = params["cross_attention"], np.zeros((2, 2, 3, 2))
    past = entered(package, {
        "keys": storage, "values": storage,
        "memory": {"keys": run(package, "project_heads", memory, cross["k"], 2)[0],
                   "values": run(package, "project_heads", memory, cross["v"], 2)[0]}})
    x, params = entered(package, [x, params])
    for start, end in (0, 2), (2, 3):
        found, _ = package.find("decoder_block")(
            x[:, start:end], None, params, 2, past={**past, "start": start})
        yield f"y from {start} on", package.leave(found), whole[:, start:end], 1e-14
