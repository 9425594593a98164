from dataclasses import replace

import numpy as np

from npgpt.checking.case import PairCase, with_values
from npgpt.checking.components._word2vec import (
    IGNORE,
    drawn_noise,
    drawn_tables,
    noise_scale,
    pairs_add_up,
)
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.errors import InputError


def cbow(draw):
    M, G, J = draw("M", range(1, 5)), draw("G", range(1, 4)), draw("J", range(1, 5))
    V, C = draw("V", range(1, 6)), draw("C", range(1, 5))
    skipped, regime = draw("skipped", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    context = numbers.below(V, M, J)
    if skipped:             # as at a sentence's end
        context[numbers.uniform(M, J) < 0.3] = IGNORE
    options = {"context": context, "target": numbers.below(V, M),
               "negatives": drawn_noise(numbers, V, M, G, skipped)}
    return PairCase(
        component="cbow", params=drawn_tables(numbers, V, C, regime), options=options,
        d_y=numbers.normal(M), scale=cbow_scale,
        laws=(pairs_add_up("context"), order_is_lost, one_word_around_is_skip_gram),
        edges=(no_word_around, a_word_twice_around, words_outside_the_table))


def cbow_scale(case):
    table, context = case.params["input_vectors"], case.options["context"]
    present = (context != IGNORE)[..., None]
    words, count = np.where(context == IGNORE, 0, context), np.maximum(present.sum(axis=1), 1)
    rows = table[words] * present / count[:, None]
    sizes, d_v = noise_scale(case, rows.sum(axis=1), np.abs(rows).sum(axis=1))
    d_input = np.zeros_like(table)
    np.add.at(d_input, words, (d_v / count)[:, None] * present)
    return sizes | {"d_input_vectors": d_input}


def order_is_lost(case, compute):
    """An average does not know which word stood first."""
    before = compute(case)
    after = compute(with_values(case, context=case.options["context"][:, ::-1]))
    for name in before:
        yield name, after[name], before[name]


def one_word_around_is_skip_gram(case, compute):
    """With one word in the context, the two methods are one."""
    options = dict(case.options)
    context = options.pop("context")[:, :1]
    if (context == IGNORE).any():
        return
    one = with_values(case, context=context)
    other = replace(case, component="skip_gram", options={"focus": context[:, 0], **options})
    before, after = compute(one), compute(other)
    for name in before:
        yield name, after[name], before[name], one


def no_word_around(package):
    """The average of nothing is 0, and no vector moves."""
    tables = Numbers(1).normal(3, 2), Numbers(2).normal(3, 2)
    losses, saved = run(package, "cbow", np.array([[IGNORE, IGNORE]]), np.array([1]),
                        np.array([[2]]), *tables)
    grads = back(package, "cbow", np.ones(1), saved)
    yield "losses", losses, [2 * np.log(2)], 1e-15
    yield "d_input_vectors", grads["input_vectors"], np.zeros((3, 2))
    yield "d_output_vectors", grads["output_vectors"], np.zeros((3, 2))


def a_word_twice_around(package):
    """It gets both its parts."""
    tables = np.array([[2.0], [5.0]]), np.array([[0.0], [1.0]])
    losses, saved = run(package, "cbow", np.array([[0, 0]]), np.array([1]), np.array([[0]]),
                        *tables)
    grads = back(package, "cbow", np.ones(1), saved)
    wrong = 1 / (1 + np.exp(2))
    yield "losses", losses, [np.log1p(np.exp(-2)) + np.log(2)], 1e-15
    yield "d_input_vectors", grads["input_vectors"], [[-wrong], [0]], 1e-15


def words_outside_the_table(package):
    if is_ours(package):
        tables = Numbers(3).normal(2, 3), Numbers(4).normal(2, 3)
        for wrong in -1, 2:
            refused = stops(InputError, run, package, "cbow", np.array([[0, wrong]]),
                            np.array([1]), np.array([[0]]), *tables)
            yield f"whether {wrong} is refused", refused, True
