"""Sampling: from the logits of the next token to a token."""

import numpy as np

from npgpt.families.checks import check_logits
from npgpt.layers.softmax import softmax


def sample_token(logits, u, temperature=0.8, top_k=None, top_p=None):
    """logits (V,), u a uniform draw from [0, 1) -> a token's id."""
    check_logits(float(logits.max()))
    if temperature == 0:  # nothing to draw
        return int(logits.argmax())
    probs = token_probs(logits, temperature, top_k, top_p)
    return draw_token(probs, u)


def token_probs(logits, temperature=0.8, top_k=None, top_p=None):
    """logits (V,) -> probs (V,) in float64. temperature 0: all on the
    largest; top_k: only the k largest (Fan et al., 2018); top_p: only
    the fewest whose sum reaches p (Holtzman et al., 2020)."""
    scores = logits.astype(np.float64)                # (V,)
    # (1) temperature: below 1 sharpens, above 1 flattens
    if temperature == 0:
        probs = np.zeros_like(scores)                 # (V,)
        probs[scores.argmax()] = 1
        return probs
    #     the largest becomes 0: no temperature overflows
    scores = (scores - scores.max()) / temperature    # (V,)
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


def draw_token(probs, u):
    """Walk along the probabilities, in the order of ids, until their
    sum passes u of the whole -> the id where it does."""
    reached = np.cumsum(probs)                        # (V,)
    return int((reached <= u * reached[-1]).sum())


def penalise_repeats(logits, ids, penalty):
    """logits (V,), ids read and written so far -> logits (V,), each of
    these ids lowered once: a positive one is divided by the penalty
    (Keskar et al., 2019, section 4.1), a negative one, which that would
    raise, multiplied. 1: unchanged."""
    if penalty == 1:
        return logits
    # (1) the logits of the tokens that would be repeated
    used = np.array(sorted(set(ids)))                 # (U,)
    old = logits[used]                                # (U,)
    # (2) lower them
    logits = logits.copy()                            # (V,)
    logits[used] = np.where(old > 0, old / penalty, old * penalty)
    return logits


def log_prob(logits, token):
    """logits (V,) -> the log of the model's probability of this token,
    before temperature, penalty and cuts; a float."""
    scores = logits.astype(np.float64)                # (V,)
    scores = scores - scores.max()                    # (V,)
    return float(scores[token] - np.log(np.exp(scores).sum()))
