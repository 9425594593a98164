import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._models import dropout_masks, model_params
from npgpt.checking.components.recurrence import no_step_where_it_is_cut
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import is_ours, run, stops
from npgpt.checking.laws import batch_independent, causal, linear_in_the_upstream_gradient
from npgpt.errors import InputError
from npgpt.families import recurrent
from npgpt.families.recurrent import Config


def forward(draw):
    B, T, config, params, options, numbers = model(draw)
    frozen = draw("frozen", [(), ("tokens", "recurrence")])
    return PairCase(
        component="recurrent.forward", params=params, nested=True, frozen=frozen,
        options=options, d_y=numbers.normal(B, T, config.vocab_size),
        laws=(texts_in_one_row_do_not_meet, batch_independent, causal,
              linear_in_the_upstream_gradient),
        edges=(an_empty_batch_has_no_logits, a_mask_is_refused),
        no_complex_step=no_step_where_it_is_cut(config.truncate, T))


def model(draw):
    """-> B, T, config, params, the arguments of forward, numbers."""
    B, T, C = draw("B", range(1, 4)), draw("T", range(1, 6)), draw("C", range(2, 6))
    V, truncate = draw("V", range(2, 7)), draw("truncate", [None, 1, 2])
    dropout, order = draw("dropout", [False, True]), draw("positions", ["counted", "given"])
    numbers, config = draw.numbers(), Config(V, channels=C, truncate=truncate)
    options = {"ids": numbers.below(V, B, T), "config": config, "mask": None,
               "positions": None, "dropout_masks": None}
    if dropout:
        options["dropout_masks"] = dropout_masks(numbers, config, B, T, recurrent)
    if order == "given":            # at 0, a text begins
        options["positions"] = numbers.below(4, B, T)
    return B, T, config, model_params(numbers, config, recurrent), options, numbers


def texts_in_one_row_do_not_meet(case, compute):
    """What stands before a position of 0 has no say in what follows it."""
    ids, positions = case.options["ids"], case.options["positions"]
    T = ids.shape[1]
    begin = T // 2
    if positions is None or begin == 0:
        return
    positions = positions.copy()
    positions[:, begin] = 0
    cut = with_values(case, positions=positions)
    changed = ids.copy()
    changed[:, :begin] = 0
    before, after = compute(cut), compute(with_values(cut, ids=changed))
    yield "y", after["y"][:, begin:], before["y"][:, begin:], cut


def an_empty_batch_has_no_logits(package):
    config = Config(vocab_size=5, channels=4)
    params = model_params(Numbers(1), config, recurrent)
    logits, _ = run(package, "recurrent.forward", params, np.zeros((0, 3), int), config)
    yield "the shape of the logits", logits.shape, (0, 3, 5)


def a_mask_is_refused(package):
    if not is_ours(package):
        return
    config = Config(vocab_size=5, channels=4)
    params = model_params(Numbers(1), config, recurrent)
    ids, mask = np.zeros((1, 3), int), np.ones((1, 1, 1, 3), bool)
    yield "whether it is refused", stops(
        InputError, run, package, "recurrent.forward", params, ids, config, mask=mask), True
