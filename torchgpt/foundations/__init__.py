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

__all__ = [
    "fit_line", "fit_logistic", "line", "line_backward",
    "line_reference", "logistic", "logistic_backward",
    "logistic_reference", "pca", "sigmoid",
]
