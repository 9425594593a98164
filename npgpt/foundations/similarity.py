"""What word vectors are asked: which words are alike, and what is to
one word as two others are to each other."""

import numpy as np


def cosine_similarity(x, y):
    """x (M, C), y (V, C) -> (M, V), the cosines of the angles between
    their rows, from −1 to 1; 0 for a row of zeros."""
    # (1) how long each row is; a row of zeros stays one
    length_x = np.sqrt((x * x).sum(axis=-1, keepdims=True))   # (M, 1)
    length_y = np.sqrt((y * y).sum(axis=-1, keepdims=True))   # (V, 1)
    unit_x = x / np.where(length_x > 0, length_x, 1)  # (M, C)
    unit_y = y / np.where(length_y > 0, length_y, 1)  # (V, C)
    # (2) the product of directions
    return unit_x @ unit_y.T                          # (M, V)


def solve_analogies(vectors, questions):
    """vectors (V, C), questions (M, 3): a is to b as c is to whom? ->
    the answers (M,), words other than a, b and c (Mikolov et al., 2013,
    "Efficient Estimation of Word Representations in Vector Space")."""
    # (1) only directions count
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    units = vectors / np.where(length > 0, length, 1)         # (V, C)
    # (2) where the answer should lie: b − a + c
    a, b, c = questions.T                             # (M,)
    wanted = units[b] - units[a] + units[c]           # (M, C)
    # (3) which word lies in that direction
    similarity = cosine_similarity(wanted, units)     # (M, V)
    # (4) none of the three
    rows = np.arange(len(questions))[:, None]         # (M, 1)
    similarity[rows, questions] = -2
    answers = similarity.argmax(axis=1)               # (M,)
    return answers
