import numpy as np

from npgpt.checking.case import PairCase
from npgpt.checking.components._word2vec import (
    drawn_noise,
    drawn_tables,
    noise_scale,
    pairs_add_up,
    skipped_noise_costs_nothing,
)
from npgpt.checking.draw import REGIMES, Numbers
from npgpt.checking.edges import back, is_ours, run, stops
from npgpt.checking.laws import linear_in_the_upstream_gradient
from npgpt.errors import InputError


def skip_gram(draw):
    B, N = draw("B", range(1, 5)), draw("N", range(1, 4))
    V, D = draw("V", range(1, 6)), draw("D", range(1, 5))
    skipped, regime = draw("skipped", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    options = {"focus": numbers.below(V, B), "target": numbers.below(V, B),
               "negatives": drawn_noise(numbers, V, B, N, skipped)}
    return PairCase(
        component="skip_gram", params=drawn_tables(numbers, V, D, regime), options=options,
        d_y=numbers.normal(B), scale=skip_gram_scale,
        functions=("skip_gram", "skip_gram_backward",
                   "negative_sampling", "negative_sampling_backward"),
        laws=(linear_in_the_upstream_gradient, skipped_noise_costs_nothing,
              pairs_add_up("focus")),
        edges=(output_vectors_of_zero, a_word_that_is_target_and_noise, far_scores,
               words_outside_the_tables))


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


def a_word_that_is_target_and_noise(package):
    """Pulled by one, pushed by the other: at a score of 0 they cancel."""
    losses, saved = run(package, "skip_gram", np.array([0]), np.array([1]), np.array([[1]]),
                        np.array([[1.0, 0], [0, 0]]), np.array([[0.0, 0], [0, 3]]))
    grads = back(package, "skip_gram", np.ones(1), saved)
    yield "losses", losses, [2 * np.log(2)], 1e-15
    yield "d_output_vectors", grads["output_vectors"], np.zeros((2, 2))


def far_scores(package):
    """They neither overflow nor lose the loss."""
    losses, saved = run(package, "skip_gram", np.array([0, 1]), np.array([1, 1]),
                        np.array([[0], [0]]), np.array([[1e4], [-1e4]]), np.array([[1.0], [1]]))
    yield "losses", losses, [1e4, 1e4]
    grads = back(package, "skip_gram", np.ones(2), saved)
    yield "d_input_vectors", grads["input_vectors"], [[1], [-1]]


def words_outside_the_tables(package):
    if is_ours(package):
        words, noise = np.array([0, 1]), np.array([[0], [1]])
        tables = Numbers(2).normal(2, 3), Numbers(3).normal(2, 3)
        for wrong in -1, 2:
            for name, arguments in (
                    ("focus", (np.array([0, wrong]), words, noise)),
                    ("target", (words, np.array([wrong, 0]), noise)),
                    ("negative", (words, words, np.array([[0], [wrong]])))):
                refused = stops(InputError, run, package, "skip_gram", *arguments, *tables)
                yield f"whether the {name} {wrong} is refused", refused, True
