"""What the cases of an encoder–decoder's blocks share: sizes, weights, masks, laws."""

import numpy as np

from npgpt.checking.case import with_values
from npgpt.checking.components._models import drawn
from npgpt.families import encoder_decoder
from npgpt.families.encoder_decoder import Config
from npgpt.tree import tree_map


def sizes(draw):
    """-> B, T, S, H, C, with an even number of channels, at least four."""
    B, T, S = draw("B", range(1, 4)), draw("T", range(1, 5)), draw("S", range(1, 6))
    H = draw("H", range(1, 4))
    return B, T, S, H, H * draw("D", [4, 6] if H == 1 else [2, 4])


def block_params(numbers, C, part):
    """Of a block of the encoder or of the decoder."""
    return part_params(numbers, C, part, 1)["blocks"][0]


def part_params(numbers, C, part, layers):
    """Of the encoder or of the decoder."""
    config = Config(vocab_size=1, context_length=1, layers=layers, heads=1, channels=C)
    return drawn(numbers, encoder_decoder.weights(config)[part])


def block_masks(numbers, B, T, S, H, C, part):
    return part_masks(numbers, B, T, S, H, C, part, 1)["blocks"][0]


def part_masks(numbers, B, T, S, H, C, part, layers):
    config = Config(vocab_size=1, layers=layers, heads=H, channels=C)
    shapes = encoder_decoder.dropout_shapes(config, B, {"source": S, "target": T})[part]
    return tree_map(lambda shape: numbers.dropout_mask(*shape), shapes)


def same_for_any_order_of_memory(name):
    """The memory is a set: another order of its positions, with the mask that belongs to
    them, changes nothing but the order of its gradient. name: of its mask."""
    def memory_may_be_reversed(case, compute):
        mask, masks = case.options[name], case.options["dropout_masks"]
        other = {"memory": case.inputs["memory"][:, ::-1]}
        if mask is not None:
            other[name] = mask[..., ::-1]
        if masks is not None:
            other["dropout_masks"] = of_cross_attention(masks, lambda drops: drops[..., ::-1])
        before, after = compute(case), compute(with_values(case, **other))
        for result in before:
            back = after[result][:, ::-1] if result == "d_memory" else after[result]
            yield result, back, before[result]

    return memory_may_be_reversed


def of_cross_attention(masks, change):
    """Dropout masks of a block, or of several, with cross-attention's own changed."""
    if "blocks" in masks:
        return {**masks, "blocks": [of_cross_attention(part, change) for part in masks["blocks"]]}
    return {**masks, "cross_attention": change(masks["cross_attention"])}


def more_padding_changes_nothing(name):
    """Two more positions of the memory, hidden from all, have no say and no gradient."""
    def padded_memory_gives_the_same(case, compute):
        memory, masks = case.inputs["memory"], case.options["dropout_masks"]
        B, T, _ = case.d_y.shape
        S, mask = memory.shape[1], case.options[name]
        if mask is None:
            mask = np.ones((1, 1, 1, S), bool)
        hidden = np.zeros((*mask.shape[:-1], 2), bool)
        more = np.repeat(memory[:, :1] + 3, 2, axis=1)
        other = {"memory": np.concatenate([memory, more], axis=1),
                 name: np.concatenate([mask, hidden], axis=-1)}
        if masks is not None:
            other["dropout_masks"] = of_cross_attention(masks, lambda drops: np.concatenate(
                [drops, np.ones((*drops.shape[:-1], 2))], axis=-1))
        before, after = compute(case), compute(with_values(case, **other))
        for result in before:
            if result == "d_memory":
                yield result, after[result][:, :S], before[result]
                yield result, after[result][:, S:], np.zeros((B, 2, memory.shape[2]))
            else:
                yield result, after[result], before[result]

    return padded_memory_gives_the_same


def each_pair_on_its_own(case, compute):
    """A pair of sequences computed alone gives what it gives in company."""
    whole = compute(case)
    for i in {0, len(case.d_y) - 1}:
        def row(array, i=i):
            return array[i:i + 1] if array is not None and array.shape[0] > 1 else array

        names = [name for name in ("mask", "memory_mask", "dropout_masks")
                 if case.options.get(name) is not None and (
                     name == "dropout_masks" or case.options[name].ndim == 4)]
        other = {name: tree_map(row, case.options[name]) for name in names}
        other |= {name: case.inputs[name][i:i + 1] for name in case.inputs}
        values = compute(with_values(case, **other, d_y=case.d_y[i:i + 1]))
        for name in ("y", *(f"d_{name}" for name in case.inputs)):
            yield name, values[name], whole[name][i:i + 1]
