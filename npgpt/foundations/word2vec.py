"""word2vec: a vector for each word, learned from the words beside it.

Two tables: a word's input vector stands for the word itself, its output
vector for the word as a neighbour. Mikolov et al., 2013, "Distributed
Representations of Words and Phrases and their Compositionality"."""

import numpy as np

from npgpt.families.checks import check_below

IGNORE = -100


def skip_gram(
        focus, target, negatives, input_vectors, output_vectors):
    """focus (M,): words; target (M,): a neighbour of each; negatives
    (M, G): words drawn at random, -100 where there is none; both
    tables (V, C) -> losses (M,), in nats. Raises InputError for words
    outside the tables."""
    check_below("focus", focus, len(input_vectors))
    # (1) look up the focus word's vector
    v = input_vectors[focus]                          # (M, C)
    # (2) tell the neighbour from noise
    losses, saved_noise = negative_sampling(
        v, target, negatives, output_vectors)         # (M,)
    return losses, (focus, input_vectors, saved_noise)


def skip_gram_backward(d_losses, saved):
    """d_losses (M,) -> {"input_vectors": (V, C), "output_vectors":
    (V, C)}."""
    focus, input_vectors, saved_noise = saved
    # (2) tell the neighbour from noise
    d_v, grads = negative_sampling_backward(d_losses, saved_noise)
    # (1) look up the focus word's vector: equal words add up
    d_input = np.zeros(input_vectors.shape, d_v.dtype)        # (V, C)
    np.add.at(d_input, focus, d_v)                    # (V, C)
    return {"input_vectors": d_input, **grads}


def cbow(context, target, negatives, input_vectors, output_vectors):
    """context (M, J): the words around each target, -100 where there is
    none; target (M,); negatives (M, G), as above; both tables (V, C)
    -> losses (M,), in nats. Raises InputError for words outside the
    tables."""
    check_below("context", context, len(input_vectors), IGNORE)
    # (1) average the context words' vectors
    present = (context != IGNORE)[..., None]          # (M, J, 1)
    words = np.where(context == IGNORE, 0, context)   # (M, J)
    rows = input_vectors[words] * present             # (M, J, C)
    count = np.maximum(present.sum(axis=1), 1)        # (M, 1)
    v = rows.sum(axis=1) / count.astype(rows.dtype)   # (M, C)
    # (2) tell the target from noise
    losses, saved_noise = negative_sampling(
        v, target, negatives, output_vectors)         # (M,)
    return losses, (words, present, count, input_vectors, saved_noise)


def cbow_backward(d_losses, saved):
    """d_losses (M,) -> {"input_vectors": (V, C), "output_vectors":
    (V, C)}."""
    words, present, count, input_vectors, saved_noise = saved
    # (2) tell the target from noise
    d_v, grads = negative_sampling_backward(d_losses, saved_noise)
    # (1) average: each context word gets its part, equal words add up
    parts = (d_v / count.astype(d_v.dtype))[:, None] * present
    d_input = np.zeros(input_vectors.shape, d_v.dtype)        # (V, C)
    np.add.at(d_input, words, parts)                  # (V, C)
    return {"input_vectors": d_input, **grads}


def negative_sampling(v, target, negatives, output_vectors):
    """v (M, C), target (M,), negatives (M, G), output_vectors (V, C)
    -> losses (M,): −log σ(u·v) of the target's u, and −log σ(−u·v) of
    each negative's."""
    check_below("target", target, len(output_vectors))
    check_below("negatives", negatives, len(output_vectors), IGNORE)
    # (1) look up the target and the negatives
    asked = np.concatenate([target[:, None], negatives], axis=1)
    counted = asked != IGNORE                         # (M, 1+G)
    words = np.where(counted, asked, 0)               # (M, 1+G)
    u = output_vectors[words]                         # (M, 1+G, C)
    # (2) score each against v
    scores = (u * v[:, None]).sum(axis=-1)            # (M, 1+G)
    # (3) cost: minus the log of the right answer's probability
    label = np.arange(words.shape[1]) == 0            # (1+G,)
    top = np.maximum(scores, 0)                       # (M, 1+G)
    power = np.exp(scores - 2 * top)                  # (M, 1+G)
    probs = np.exp(scores - top) / (1 + power)        # (M, 1+G)
    costs = (top - scores * label) + np.log1p(power)  # (M, 1+G)
    # (4) add up the costs of those that count
    losses = (costs * counted).sum(axis=1)            # (M,)
    return losses, (
        v, u, words, counted, label, probs, output_vectors)


def negative_sampling_backward(d_losses, saved):
    """d_losses (M,) -> d_v (M, C), {"output_vectors": (V, C)}."""
    v, u, words, counted, label, probs, output_vectors = saved
    # (4) add up the costs of those that count
    d_costs = d_losses[:, None] * counted             # (M, 1+G)
    # (3) cost: the probability, less 1 for the target
    d_scores = d_costs * (probs - label.astype(probs.dtype))
    # (2) score each against v: v collects from all of them
    d_v = (d_scores[..., None] * u).sum(axis=1)       # (M, C)
    d_u = d_scores[..., None] * v[:, None]            # (M, 1+G, C)
    # (1) look up: equal words add up
    d_output = np.zeros(output_vectors.shape, d_v.dtype)      # (V, C)
    np.add.at(d_output, words, d_u)                   # (V, C)
    return d_v, {"output_vectors": d_output}
