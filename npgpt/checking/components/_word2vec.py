"""What the cases of skip-gram and CBOW share: tables, noise, and the size of their terms."""

import numpy as np

from npgpt.checking.case import with_values

IGNORE = -100
TABLES = ("input_vectors", "output_vectors")


def drawn_tables(numbers, V, C, regime):
    """Both tables; in stress, scores of ±50 and more."""
    std = 6.0 if regime == "stress" else 1.0
    return {name: numbers.normal(V, C, std=std * C ** -0.25) for name in TABLES}


def drawn_noise(numbers, V, M, G, skipped):
    """negatives (M, G), about a third of them -100 where some are skipped."""
    negatives = numbers.below(V, M, G)
    if skipped:
        negatives[numbers.uniform(M, G) < 0.3] = IGNORE
    return negatives


def noise_scale(case, v, size):
    """v (M, C), size (M, C), the sum of its terms' sizes -> {"y": S, "d_output_vectors": S},
    and the size of d_v. A score's rounding moves a probability p by p(1 − p) of it."""
    output, target = case.params["output_vectors"], case.options["target"]
    asked = np.concatenate([target[:, None], case.options["negatives"]], axis=1)
    counted, words = asked != IGNORE, np.where(asked == IGNORE, 0, asked)
    u = output[words]
    terms = np.einsum("bnd,bd->bn", np.abs(u), size)
    scores = np.einsum("bnd,bd->bn", u, v)
    label = np.arange(asked.shape[1]) == 0
    probs = np.where(scores < 0, np.exp(np.minimum(scores, 0)), 1) / (1 + np.exp(-abs(scores)))
    d_scores = np.abs(case.d_y)[:, None] * counted * (
        probs + label + probs * (1 - probs) * terms)
    d_output = np.zeros_like(output)
    np.add.at(d_output, words, d_scores[..., None] * size[:, None])
    d_v = (d_scores[..., None] * np.abs(u)).sum(axis=1)
    return {"y": (counted * (2 * terms + 1)).sum(axis=1), "d_output_vectors": d_output}, d_v


def skipped_noise_costs_nothing(case, compute):
    """Another column of negatives that are all skipped changes nothing."""
    negatives = case.options["negatives"]
    more = np.full((len(negatives), 1), IGNORE)
    before = compute(case)
    after = compute(with_values(case, negatives=np.concatenate([more, negatives], axis=1)))
    for name in before:
        yield name, after[name], before[name]


def pairs_add_up(first):
    """The first pair alone and the others alone have their losses, and what they do to the
    tables adds up. first: the name of what each has beside its target."""
    def gradients_add_up(case, compute):
        given = {name: {**case.inputs, **case.options}[name]
                 for name in (first, "target", "negatives")}
        apart = [compute(with_values(case, d_y=case.d_y[rows], **{
                     name: array[rows] for name, array in given.items()}))
                 for rows in (slice(1), slice(1, None))]
        whole = compute(case)
        yield "y", np.concatenate([values["y"] for values in apart]), whole["y"]
        for name in whole:
            if name in ("d_input_vectors", "d_output_vectors"):
                yield name, sum(values[name] for values in apart), whole[name]

    return gradients_add_up
