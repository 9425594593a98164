"""Foundations: what stands before the transformer, forward beside
backward, each trained by a few lines of gradient descent."""

from npgpt.foundations.line import fit_line, line, line_backward
from npgpt.foundations.logistic import (
    fit_logistic,
    logistic,
    logistic_backward,
    sigmoid,
)
from npgpt.foundations.projection import pca
from npgpt.foundations.similarity import (
    cosine_similarity,
    solve_analogies,
)
from npgpt.foundations.word2vec import (
    cbow,
    cbow_backward,
    negative_sampling,
    negative_sampling_backward,
    skip_gram,
    skip_gram_backward,
)
from npgpt.foundations.word2vec_fit import (
    fit_word_vectors,
    init_word_vectors,
    noise_probs,
)

__all__ = [
    "cbow", "cbow_backward", "cosine_similarity", "fit_line",
    "fit_logistic", "fit_word_vectors", "init_word_vectors", "line",
    "line_backward", "logistic", "logistic_backward",
    "negative_sampling", "negative_sampling_backward", "noise_probs",
    "pca", "sigmoid", "skip_gram", "skip_gram_backward",
    "solve_analogies",
]
