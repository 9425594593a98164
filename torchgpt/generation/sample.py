"""Sampling: from the logits of the next token to a token."""

import torch

from npgpt.families.checks import check_logits
from torchgpt.layers.softmax import softmax


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
    scores = logits.to(torch.float64)                 # (V,)
    # (1) temperature: below 1 sharpens, above 1 flattens
    if temperature == 0:
        probs = torch.zeros_like(scores)              # (V,)
        probs[scores.argmax()] = 1
        return probs
    #     the largest becomes 0: no temperature overflows
    scores = (scores - scores.max()) / temperature    # (V,)
    # (2) top-k: only the k largest, and what equals the last of them
    if top_k is not None and top_k < len(scores):
        last = torch.sort(scores).values[-top_k]      # ()
        scores = torch.where(scores >= last, scores, -torch.inf)
    # (3) softmax
    probs, _ = softmax(scores)                        # (V,)
    # (4) top-p: only the fewest whose sum reaches p, from the top
    if top_p is not None:
        order = torch.argsort(-probs, stable=True)    # (V,)
        before = torch.cumsum(probs[order], 0) - probs[order]
        before[0] = 0  # the largest always stays
        probs[order[before >= top_p]] = 0
    return probs


def draw_token(probs, u):
    """Walk along the probabilities, in the order of ids, until their
    sum passes u of the whole -> the id where it does."""
    reached = torch.cumsum(probs, 0)                  # (V,)
    return int((reached <= u * reached[-1]).sum())


def penalise_repeats(logits, ids, penalty):
    """logits (V,), ids read and written so far -> logits (V,), each of
    these ids lowered once: a positive one is divided by the penalty
    (Keskar et al., 2019, section 4.1), a negative one, which that would
    raise, multiplied. 1: unchanged."""
    if penalty == 1:
        return logits
    # (1) the logits of the tokens that would be repeated
    used = sorted(set(ids))                           # U ids
    old = logits[used]                                # (U,)
    # (2) lower them
    logits = logits.clone()                           # (V,)
    logits[used] = torch.where(old > 0, old / penalty, old * penalty)
    return logits


def log_prob(logits, token):
    """logits (V,) -> the log of the model's probability of this token,
    before temperature, penalty and cuts; a float."""
    scores = logits.to(torch.float64)                 # (V,)
    scores = scores - scores.max()                    # (V,)
    return float(scores[token] - torch.log(torch.exp(scores).sum()))
