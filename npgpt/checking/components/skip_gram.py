import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._word2vec import (
    drawn_noise,
    drawn_tables,
    noise_scale,
    pairs_add_up,
)
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.checking.laws import linear_in_the_upstream_gradient
from npgpt.errors import InputError


def skip_gram(draw):
    M, G = draw("M", range(1, 5)), draw("G", range(1, 4))
    V, C = draw("V", range(1, 6)), draw("C", range(1, 5))
    skipped, regime = draw("skipped", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"focus": numbers.below(V, M), "target": numbers.below(V, M),
               "negatives": drawn_noise(numbers, V, M, G, skipped)}
    return PairCase(
        component="skip_gram", params=drawn_tables(numbers, V, C, regime), options=options,
        d_y=numbers.normal(M), scale=skip_gram_scale,
        laws=(linear_in_the_upstream_gradient, pairs_add_up("focus")),
        edges=(output_vectors_of_zero, words_outside_the_table))


def skip_gram_scale(case):
    table, focus = case.params["input_vectors"], case.options["focus"]
    sizes, d_v = noise_scale(case, table[focus], np.abs(table[focus]))
    d_input = np.zeros_like(table)
    np.add.at(d_input, focus, d_v)
    return sizes | {"d_input_vectors": d_input}


def output_vectors_of_zero(package):
    """Nothing is known: each answer costs log 2, and only output vectors move."""
    tables = Numbers(1).normal(3, 2), np.zeros((3, 2))
    losses, saved = run(package, "skip_gram", np.array([0, 2]), np.array([1, 0]),
                        np.array([[2, 2], [1, 2]]), *tables)
    grads = back(package, "skip_gram", np.ones(2), saved)
    yield "losses", losses, [3 * np.log(2)] * 2, 1e-15
    yield "d_input_vectors", grads["input_vectors"], np.zeros((3, 2))
    yield "whether output vectors move", abs(grads["output_vectors"]).sum() > 0.1, True


def words_outside_the_table(package):
    if is_ours(package):
        words, noise = np.array([0, 1]), np.array([[0], [1]])
        tables = Numbers(2).normal(2, 3), Numbers(3).normal(2, 3)
        for wrong in -1, 2:
            focus = np.array([0, wrong])
            refused = stops(InputError, run, package, "skip_gram", focus, words, noise, *tables)
            yield f"whether the word {wrong} is refused", refused, True
