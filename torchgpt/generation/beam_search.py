"""Beam search: of all that could be written, the few beginnings that
are likeliest so far are read on (Sutskever et al., 2014, section 3.2).
It writes the target of an encoder–decoder."""

import math

import torch

from npgpt.families.checks import check_beams, check_source
from npgpt.generation.rows_of_cache import rows_of_cache
from torchgpt.generation.cache import empty_cache, read


@torch.no_grad()
def beam_search(model, params, config, source, start, end, width=4,
                max_new_tokens=100, length_penalty=0.0):
    """source: ids of one text -> the best `width` targets, best first:
    [(ids, score), ...]. ids end with `end`, unless there was no room.

    start: the id that the decoder begins with. width: how many
    beginnings go on; 1 takes the likeliest token each time. A score is
    the logarithm of a target's probability, divided by its length to
    the power of length_penalty: 0 compares probabilities, which fall
    with each token, so that short targets win; 1 compares their means
    per token."""
    check_beams(width, max_new_tokens, length_penalty)
    unread = {"source": [check_source(source, config)],
              "target": [[start]]}
    cache = empty_cache(model, config, 1, params)
    beams, finished = [([], 0.0)], []
    longest = min(max_new_tokens, config.context_length)
    for _ in range(longest):
        # (1) read the last token of each beam
        logits, cache = read(model, params, config, unread, cache)
        # (2) score each beam with each token after it
        log_probs = log_softmax(logits)               # (B, V)
        candidates = [
            (total + log_prob, row, token)
            for row, (_, total) in enumerate(beams)
            for token, log_prob in enumerate(log_probs[row])]
        # (3) take the likeliest
        candidates.sort(key=lambda each: -each[0])
        taken = [(row, (beams[row][0] + [token], total))
                 for total, row, token in candidates[:width]]
        # (4) those that end are finished, the others go on
        finished += [beam for _, beam in taken if beam[0][-1] == end]
        taken = [(row, beam) for row, beam in taken
                 if beam[0][-1] != end]
        beams = [beam for _, beam in taken]
        # (5) stop if none of them can get among the best
        finished.sort(key=lambda beam: -score(beam, length_penalty))
        hope = max((total / longest ** length_penalty
                    for _, total in beams), default=-math.inf)
        if not beams or (len(finished) >= width and (
                hope <= score(finished[width - 1], length_penalty))):
            break
        cache = rows_of_cache(cache, [row for row, _ in taken])
        unread = {"target": [[ids[-1]] for ids, _ in beams]}
    found = [(ids, score((ids, total), length_penalty))
             for ids, total in finished + beams]
    return sorted(found, key=lambda each: -each[1])[:width]


def score(beam, length_penalty):
    """(ids, log-probability) -> what it is compared by."""
    ids, total = beam
    return total / len(ids) ** length_penalty


def log_softmax(logits):
    """logits (B, V) -> lists of log-probabilities, in float64."""
    shifted = logits - logits.amax(dim=-1, keepdim=True)
    shifted = shifted.to(torch.float64)               # (B, V)
    total = torch.exp(shifted).sum(dim=-1, keepdim=True)
    return (shifted - torch.log(total)).tolist()      # (B, V)
