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


def negative_sampling(draw):
    M, G = draw("M", range(1, 5)), draw("G", range(1, 4))
    V, C = draw("V", range(1, 6)), draw("C", range(1, 5))
    skipped, regime = draw("skipped", [False, True]), draw("regime", REGIMES)
    numbers = draw.numbers()
    tables = drawn_tables(numbers, V, C, regime)
    options = {"target": numbers.below(V, M),
               "negatives": drawn_noise(numbers, V, M, G, skipped)}
    return PairCase(
        component="negative_sampling",
        inputs={"v": tables["input_vectors"][numbers.below(V, M)]},
        params={"output_vectors": tables["output_vectors"]}, options=options,
        d_y=numbers.normal(M), scale=negative_sampling_scale,
        laws=(linear_in_the_upstream_gradient, skipped_noise_costs_nothing, pairs_add_up("v")),
        edges=(a_word_that_is_target_and_noise, far_scores, words_outside_the_table))


def negative_sampling_scale(case):
    v = case.inputs["v"]
    sizes, d_v = noise_scale(case, v, np.abs(v))
    return sizes | {"d_v": d_v}


def a_word_that_is_target_and_noise(package):
    """Pulled by one, pushed by the other: at a score of 0 they cancel."""
    losses, saved = run(package, "negative_sampling", np.array([[1.0, 0]]), np.array([1]),
                        np.array([[1]]), np.array([[0.0, 0], [0, 3]]))
    d_v, grads = back(package, "negative_sampling", np.ones(1), saved)
    yield "losses", losses, [2 * np.log(2)], 1e-15
    yield "d_v", d_v, [[0, 0]]
    yield "d_output_vectors", grads["output_vectors"], np.zeros((2, 2))


def far_scores(package):
    """They neither overflow nor lose the loss."""
    losses, saved = run(package, "negative_sampling", np.array([[1e4], [-1e4]]),
                        np.array([1, 1]), np.array([[0], [0]]), np.array([[1.0], [1]]))
    yield "losses", losses, [1e4, 1e4]
    d_v, _ = back(package, "negative_sampling", np.ones(2), saved)
    yield "d_v", d_v, [[1], [-1]]


def words_outside_the_table(package):
    if is_ours(package):
        v, table, words = Numbers(2).normal(2, 3), Numbers(3).normal(2, 3), np.array([0, 1])
        for wrong in -1, 2:
            for name, arguments in (("target", (np.array([wrong, 0]), words[:, None])),
                                    ("negative", (words, np.array([[0], [wrong]])))):
                refused = stops(InputError, run, package, "negative_sampling", v, *arguments,
                                table)
                yield f"whether the {name} {wrong} is refused", refused, True
