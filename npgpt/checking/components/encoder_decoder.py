import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._attention import mask_for, no_step_where_all_is_hidden
from npgpt.checking.components._encoder_decoder import sizes
from npgpt.checking.components._models import drawn
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import back, run
from npgpt.checking.laws import linear_in_the_upstream_gradient
from npgpt.families import encoder_decoder as family
from npgpt.families.encoder_decoder import Config
from npgpt.tree import tree_leaves, tree_map

FROZEN = ("tokens", "encoder.blocks.0.norm_1", "decoder.blocks.0.cross_attention.k")


def forward(draw):
    B, T, S, config, params, options, numbers = model(draw)
    mask = options["mask"] or {}
    return PairCase(
        component="encoder_decoder.forward", params=params, nested=True,
        frozen=draw("frozen", [(), FROZEN]), options=options,
        d_y=numbers.normal(B, T, config.vocab_size),
        laws=(more_padding_changes_nothing, the_source_is_a_set_of_tokens_and_positions,
              the_target_is_causal, each_pair_on_its_own, linear_in_the_upstream_gradient),
        edges=(the_whole_source_has_a_say, a_source_that_is_all_padding,
               an_empty_batch_has_no_logits),
        no_complex_step=(no_step_where_all_is_hidden(mask.get("target"), True, T, T)
                         or no_step_where_all_is_hidden(mask.get("source"), False, T, S)))


def model(draw):
    """-> B, T, S, config, params, the arguments of forward, numbers."""
    B, T, S, H, C = sizes(draw)
    V, layers = draw("V", range(2, 9)), draw("layers", [2, 1])
    tied, spare = draw("tied", [True, False]), draw("spare", range(3))
    dropout, padding = draw("dropout", [False, True]), draw("padding", ["source", "none", "both"])
    order = draw("positions", ["counted", "given"])
    numbers = draw.numbers()
    config = Config(V, max(T, S) + spare, layers, H, C, tied)
    lengths = {"source": S, "target": T}
    inputs = {name: numbers.below(V, B, length) for name, length in lengths.items()}
    options = {"inputs": inputs, "config": config,
               "mask": None, "positions": None, "dropout_masks": None}
    if padding != "none":
        options["mask"] = {"source": mask_for("padding", numbers, B, H, T, S)}
    if padding == "both":           # the first target begins with pads
        pads = np.arange(T) >= (T // 2) * (np.arange(B) == 0)[:, None]
        options["mask"]["target"] = pads[:, None, None, :]
    if dropout:
        options["dropout_masks"] = tree_map(
            lambda shape: numbers.dropout_mask(*shape), family.dropout_shapes(config, B, lengths))
    if order == "given":            # some of them twice
        options["positions"] = {
            name: numbers.below(9, B, length) for name, length in lengths.items()}
    return B, T, S, config, drawn(numbers, family.weights(config)), options, numbers


def source_of(case):
    """-> ids, mask and positions of the source, all given, (B, S)."""
    ids = case.options["inputs"]["source"]
    mask = (case.options["mask"] or {}).get("source")
    mask = np.ones(ids.shape, bool) if mask is None else mask[:, 0, 0]
    counted = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
    return ids, mask, (case.options["positions"] or {}).get("source", counted)


def with_source(case, ids, mask, positions):
    options = case.options
    return with_values(
        case, inputs={**options["inputs"], "source": ids},
        mask={**(options["mask"] or {}), "source": mask[:, None, None]},
        positions={**(options["positions"] or {}), "source": positions})


def more_padding_changes_nothing(case, compute):
    """Two more tokens of the source, hidden, have no say and no gradient."""
    if case.options["dropout_masks"] is not None:
        return
    ids, mask, positions = source_of(case)
    hidden = np.zeros((len(ids), 2), bool)
    other = with_source(case, np.concatenate([ids, ids[:, :1].repeat(2, axis=1)], axis=1),
                        np.concatenate([mask, hidden], axis=1),
                        np.concatenate([positions, hidden + 3], axis=1))
    before, after = compute(case), compute(other)
    for name in before:
        yield name, after[name], before[name]


def the_source_is_a_set_of_tokens_and_positions(case, compute):
    """Where a token stands in the array says nothing: its position does."""
    if case.options["dropout_masks"] is not None:
        return
    before = compute(case)
    after = compute(with_source(case, *(array[:, ::-1] for array in source_of(case))))
    for name in before:
        yield name, after[name], before[name]


def the_target_is_causal(case, compute):
    """The last token changes nothing that is said before it."""
    inputs = case.options["inputs"]
    if inputs["target"].shape[1] < 2:
        return
    changed = inputs["target"].copy()
    changed[:, -1] = 0
    before = compute(case)
    after = compute(with_values(case, inputs={**inputs, "target": changed}))
    yield "y", after["y"][:, :-1], before["y"][:, :-1]


def each_pair_on_its_own(case, compute):
    """A pair of sequences computed alone gives what it gives in company."""
    given = {name: case.options[name] for name in (
        "inputs", "mask", "positions", "dropout_masks") if case.options[name] is not None}
    whole = compute(case)["y"]
    for i in {0, len(whole) - 1}:
        alone = tree_map(lambda array: array[i:i + 1], given)  # noqa: B023
        found = compute(with_values(case, **alone, d_y=case.d_y[i:i + 1]))
        yield "y", found["y"], whole[i:i + 1]


def some():
    """-> params, inputs, config."""
    numbers, config = Numbers(1), Config(5, 6, 2, 2, 4)
    inputs = {"source": numbers.below(5, 2, 4), "target": numbers.below(5, 2, 3)}
    return drawn(numbers, family.weights(config)), inputs, config


def the_whole_source_has_a_say(package):
    """The first token of the target notices the last one of the source."""
    params, inputs, config = some()
    before, _ = run(package, "encoder_decoder.forward", params, inputs, config)
    inputs["source"][:, -1] = (inputs["source"][:, -1] + 1) % 5
    after, _ = run(package, "encoder_decoder.forward", params, inputs, config)
    yield "whether it does", (np.abs(after - before)[:, 0].max(axis=-1) > 1e-3).all(), True


def a_source_that_is_all_padding(package):
    """All is finite, forward and backward."""
    params, inputs, config = some()
    mask = {"source": np.array([False, True])[:, None, None, None] & np.ones((2, 1, 1, 4), bool)}
    logits, saved = run(package, "encoder_decoder.forward", params, inputs, config, mask=mask)
    grads = back(package, "encoder_decoder.forward", logits, saved)
    yield "whether all is finite", all(
        np.isfinite(array).all() for array in (logits, *dict(tree_leaves(grads)).values())), True


def an_empty_batch_has_no_logits(package):
    params, inputs, config = some()
    inputs = {name: ids[:0] for name, ids in inputs.items()}
    logits, _ = run(package, "encoder_decoder.forward", params, inputs, config)
    yield "the shape of the logits", logits.shape, (0, 3, 5)
