"""Sampling: from the logits of the next token to a token."""

import math

import numpy as np

from npgpt.families.checks import check_top
from npgpt.layers.softmax import softmax


def sample_token(logits, u, temperature=0.8, top_k=None, top_p=None):
    """logits (V,), u a uniform draw from [0, 1) -> a token's id."""
    if temperature == 0:  # nothing to draw
        return int(below_top(logits).argmax())
    probs = token_probs(logits, temperature, top_k, top_p)
    return draw_token(probs, u)


def token_probs(logits, temperature=0.8, top_k=None, top_p=None):
    """logits (V,) -> probs (V,) in float64. temperature 0: all on the
    largest; top_k: only the k largest (Fan et al., 2018); top_p: only
    the fewest whose sum reaches p (Holtzman et al., 2020)."""
    scores = below_top(logits)                        # (V,)
    # (1) temperature: below 1 sharpens, above 1 flattens
    if temperature == 0:
        probs = np.zeros_like(scores)                 # (V,)
        probs[scores.argmax()] = 1
        return probs
    scores = scores / temperature                     # (V,)
    # (2) top-k: only the k largest, and what equals the last of them
    if top_k is not None and top_k < len(scores):
        last = np.sort(scores)[-top_k]                # ()
        scores = np.where(scores >= last, scores, -np.inf)
    # (3) softmax
    probs, _ = softmax(scores)                        # (V,)
    # (4) top-p: only the fewest whose sum reaches p, from the top
    if top_p is not None:
        order = np.argsort(-probs, stable=True)       # (V,)
        before = np.cumsum(probs[order]) - probs[order]
        before[0] = 0  # the largest always stays
        probs[order[before >= top_p]] = 0
    return probs


def below_top(logits):
    """logits (V,) -> scores (V,) in float64, the largest 0, so that no
    temperature overflows. +inf wins over every number; NaN, or -inf
    alone, raises InputError."""
    scores = logits.astype(np.float64)                # (V,)
    top = float(scores.max())
    check_top(top)
    if top == math.inf:
        return np.where(scores == top, 0.0, -math.inf)  # (V,)
    return scores - top                               # (V,)


def draw_token(probs, u):
    """Walk along the probabilities, in the order of ids, until their
    sum passes u of the whole -> the id where it does."""
    reached = np.cumsum(probs)                        # (V,)
    return int((reached <= u * reached[-1]).sum())


def penalise_repeats(logits, used, penalty):
    """logits (V,), used (V,), True for the ids read and written so far
    -> logits (V,), each of these lowered once: a positive one is
    divided by the penalty (Keskar et al., 2019, section 4.1), a
    negative one, which that would raise, multiplied. 1: unchanged."""
    if penalty == 1:
        return logits
    penalty = float(penalty)
    # (1) lower every logit
    lowered = np.where(
        logits > 0, logits / penalty, logits * penalty)   # (V,)
    # (2) take that for those that were there before
    return np.where(used, lowered, logits)            # (V,)


def mark_used(ids, vocab_size, like):
    """ids: B lists -> (B, V), True where an id is in the list."""
    used = np.zeros((len(ids), vocab_size), bool)         # (B, V)
    for row, those in zip(used, ids):
        row[those] = True
    return used


def log_prob(logits, token):
    """logits (V,) -> the log of the model's probability of this token,
    before temperature, penalty and cuts; a float."""
    scores = below_top(logits)                        # (V,)
    return float(scores[token] - np.log(np.exp(scores).sum()))
