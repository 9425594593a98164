"""Foundations: what stands before the transformer, forward beside
backward, each trained by a few lines of gradient descent."""

from torchgpt.foundations.line import (
    fit_line,
    line,
    line_backward,
    line_reference,
)
from torchgpt.foundations.logistic import (
    fit_logistic,
    logistic,
    logistic_backward,
    logistic_reference,
    sigmoid,
)
from torchgpt.foundations.projection import pca
from torchgpt.foundations.similarity import (
    cosine_similarity,
    solve_analogies,
)
from torchgpt.foundations.word2vec import (
    cbow,
    cbow_backward,
    cbow_reference,
    negative_sampling,
    negative_sampling_backward,
    negative_sampling_reference,
    skip_gram,
    skip_gram_backward,
    skip_gram_reference,
)
from torchgpt.foundations.word2vec_fit import (
    fit_word_vectors,
    init_word_vectors,
    noise_probs,
)

__all__ = [
    "cbow", "cbow_backward", "cbow_reference", "cosine_similarity",
    "fit_line", "fit_logistic", "fit_word_vectors", "init_word_vectors",
    "line", "line_backward", "line_reference", "logistic",
    "logistic_backward", "logistic_reference", "negative_sampling",
    "negative_sampling_backward", "negative_sampling_reference",
    "noise_probs", "pca", "sigmoid", "skip_gram", "skip_gram_backward",
    "skip_gram_reference", "solve_analogies",
]
