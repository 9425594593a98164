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

__all__ = [
    "fit_line", "fit_logistic", "line", "line_backward", "logistic",
    "logistic_backward", "pca", "sigmoid",
]
