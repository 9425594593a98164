import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._attention import no_step_where_all_is_hidden
from npgpt.checking.components._llama import sizes
from npgpt.checking.components._models import dropout_masks, model_params
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import run
from npgpt.checking.laws import batch_independent, causal, linear_in_the_upstream_gradient
from npgpt.families import llama
from npgpt.families.llama import Config


def forward(draw):
    B, T, config, params, options, numbers = model(draw)
    frozen = draw("frozen", [(), ("tokens", "blocks.0.norm_1", "blocks.0.attention.k")])
    return PairCase(
        component="llama.forward", params=params, nested=True, frozen=frozen, options=options,
        d_y=numbers.normal(B, T, config.vocab_size),
        laws=(positions_may_all_be_shifted, batch_independent, causal,
              linear_in_the_upstream_gradient),
        edges=(an_empty_batch_has_no_logits,),
        no_complex_step=no_step_where_all_is_hidden(options["mask"], True, T, T))


def model(draw):
    """-> B, T, config, params, the arguments of forward, numbers."""
    V, layers = draw("V", range(2, 9)), draw("layers", [1, 2, 3])
    B, T, config = sizes(draw, vocab_size=V, layers=layers, spare=draw("spare", range(3)),
                         tied=draw("tied", [True, False]))
    dropout, mask = draw("dropout", [False, True]), draw("mask", ["none", "padding"])
    order = draw("positions", ["counted", "given"])
    numbers = draw.numbers()
    options = {"ids": numbers.below(V, B, T), "config": config,
               "mask": None, "positions": None, "dropout_masks": None}
    if mask == "padding":           # the first sequence begins with pads
        pads = np.arange(T) >= (T // 2) * (np.arange(B) == 0)[:, None]
        options["mask"] = pads[:, None, None, :]
    if dropout:
        options["dropout_masks"] = dropout_masks(numbers, config, B, T, llama)
    if order == "given":            # some of them twice
        options["positions"] = numbers.below(9, B, T)
    return B, T, config, model_params(numbers, config, llama), options, numbers


def positions_may_all_be_shifted(case, compute):
    """A score depends on how far two tokens lie apart, and on nothing else of
    where they stand."""
    ids, positions = case.options["ids"], case.options["positions"]
    if positions is None:
        positions = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
    before, after = compute(case), compute(with_values(case, positions=positions + 1))
    for name in before:
        yield name, after[name], before[name]


def an_empty_batch_has_no_logits(package):
    config = Config(vocab_size=5, context_length=4, layers=1, heads=2, kv_heads=1, channels=4)
    params = model_params(Numbers(1), config, llama)
    logits, _ = run(package, "llama.forward", params, np.zeros((0, 3), int), config)
    yield "the shape of the logits", logits.shape, (0, 3, 5)
